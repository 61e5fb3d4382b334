using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// Gives libtorch its memory. libtorch asks the C library, by posix_memalign and free in libc10; here those two calls of that one library
/// come to a <see cref="PageHeap"/> for large tensors and go on to the C library for the rest. STAGEAUDIT_ALLOCATOR=malloc leaves
/// everything to the C library.
/// </summary>
internal static unsafe class TensorAllocator
{
    /// <summary>Smaller ones are the C library's: they leave no holes to speak of.</summary>
    private const nuint LargeBytes = 64 << 10;

    private const int OutOfMemory = 12;

    private static delegate* unmanaged<void**, nuint, nuint, int> s_align;
    private static delegate* unmanaged<void*, void> s_free;

    /// <summary>Where large tensors lie.</summary>
    public static PageHeap Heap { get; } = new();

    /// <summary>"page heap", or "malloc", the C library's.</summary>
    public static string Name => s_free is null ? "malloc" : "page heap";

    /// <summary>To be called once libc10 is loaded and before it makes a tensor.</summary>
    public static void Serve(nint c10)
    {
        if (Environment.GetEnvironmentVariable("STAGEAUDIT_ALLOCATOR") == "malloc") return;
        // What the two call and lock is compiled here: the first call of either comes from the middle of native code.
        RuntimeHelpers.PrepareMethod(((Delegate)Heap.Take).Method.MethodHandle);
        RuntimeHelpers.PrepareMethod(((Delegate)Heap.Leave).Method.MethodHandle);
        var imports = ImportTable.Of(c10);
        if (imports.Find("posix_memalign") is not { } align || imports.Find("free") is not { } free) return;
        // Not what the slots hold: where TorchSharp has loaded the library, that is still the loader's, which would put its own answer there.
        s_align = (delegate* unmanaged<void**, nuint, nuint, int>)SystemLibrary.FindAnywhere("posix_memalign");
        s_free = (delegate* unmanaged<void*, void>)SystemLibrary.FindAnywhere("free");
        align.Redirect((nint)(delegate* unmanaged<void**, nuint, nuint, int>)&Allocate);
        free.Redirect((nint)(delegate* unmanaged<void*, void>)&Free);
    }

    /// <summary>Gives memory that tensors have left back to the system.</summary>
    public static void Trim()
    {
        Heap.Trim();
        SystemLibrary.TrimHeap(0);
    }

    [UnmanagedCallersOnly]
    private static int Allocate(void** block, nuint alignment, nuint bytes)
    {
        if (bytes < LargeBytes) return s_align(block, alignment, bytes);
        *block = bytes > (nuint)nint.MaxValue ? null : (void*)Heap.Take((nint)bytes);
        return *block is null ? OutOfMemory : 0;
    }

    [UnmanagedCallersOnly]
    private static void Free(void* block)
    {
        if (!Heap.Leave((nint)block)) s_free(block);
    }
}
