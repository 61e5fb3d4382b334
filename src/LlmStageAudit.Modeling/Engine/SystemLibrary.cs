using System.Runtime.InteropServices;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>What the engine room asks of the C library.</summary>
internal static unsafe partial class SystemLibrary
{
    private const string C = "libc";
    private const int Now = 2;

    /// <summary>Loads a library, by name or path, with what it needs; those that need it later find it by its name.</summary>
    public static bool Open(string file, out nint handle, out string reason)
    {
        // Once before: the runtime uses the loader to find this function, and with that the error would be gone.
        _ = LastLoaderError();
        handle = OpenLibrary(file, Now);
        reason = handle == 0 ? Marshal.PtrToStringUTF8(LastLoaderError()) ?? "no reason given" : "";
        return handle != 0;
    }

    /// <summary>A file in memory with a copy of the bytes; the path stays good while the process lives.</summary>
    public static string FileInMemory(string name, ReadOnlySpan<byte> bytes)
    {
        var descriptor = CreateFileInMemory(name, 0);
        if (descriptor < 0) throw new IOException($"memfd_create: error {Marshal.GetLastPInvokeError()}");
        using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(descriptor, ownsHandle: false);
        RandomAccess.Write(handle, bytes, 0);
        return $"/proc/self/fd/{descriptor}";
    }

    /// <summary>A variable as native libraries see it, which .NET's own setter does not reach. A value the user set stays.</summary>
    public static void SetDefaultVariable(string name, string value) => _ = SetVariable(name, value, 0);

    /// <summary>The address of a symbol that any loaded library exports, or 0.</summary>
    public static nint FindAnywhere(string symbol) => FindSymbol(0, symbol);

    /// <summary>Frees what native code allocated, by the allocator that native code uses.</summary>
    public static void Free(nint block) => ((delegate* unmanaged<nint, void>)FindAnywhere("free"))(block);

    /// <summary>What the loader knows of a library: its struct link_map.</summary>
    public static nint LinkMapOf(nint library)
    {
        const int linkMap = 2;
        nint answer;
        return LoaderInfo(library, linkMap, &answer) == 0 ? answer : throw new IOException("dlinfo: the loader knows no such library");
    }

    /// <summary>Fresh pages of zeros, or 0 where the system has no more.</summary>
    public static nint MapPages(nint bytes)
    {
        const int readWrite = 3, anonymousPrivate = 0x22;
        var start = Map(0, bytes, readWrite, anonymousPrivate, -1, 0);
        return start == -1 ? 0 : start;
    }

    [LibraryImport(C, EntryPoint = "munmap")]
    public static partial int UnmapPages(nint start, nint bytes);

    /// <summary>Lets the pages with these bytes be written to.</summary>
    public static void MakeWritable(nint address, nint bytes)
    {
        const int readWrite = 3;
        var page = address & -Environment.SystemPageSize;
        if (Protect(page, address + bytes - page, readWrite) != 0) throw new IOException("mprotect: the page cannot be made writable");
    }

    /// <summary>Gives free pages of the C library's heaps back to the system.</summary>
    [LibraryImport(C, EntryPoint = "malloc_trim")]
    public static partial int TrimHeap(nuint kept);

    [LibraryImport(C, EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint OpenLibrary(string file, int flags);

    [LibraryImport(C, EntryPoint = "dlerror")]
    private static partial nint LastLoaderError();

    [LibraryImport(C, EntryPoint = "dlsym", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint FindSymbol(nint library, string symbol);

    [LibraryImport(C, EntryPoint = "dlinfo")]
    private static partial int LoaderInfo(nint library, int request, nint* answer);

    [LibraryImport(C, EntryPoint = "mmap")]
    private static partial nint Map(nint address, nint bytes, int protection, int flags, int descriptor, nint offset);

    [LibraryImport(C, EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nint bytes, int protection);

    [LibraryImport(C, EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);

    [LibraryImport(C, EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int CreateFileInMemory(string name, uint flags);
}
