using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// TorchSharp's first act is to load, by its path, the libtorch that came with this program, if one did. Where the user named another, that
/// would be a second one, and two end the process: both register the same operators. While TorchSharp starts, such a request of the runtime's
/// is answered with the library that is there; afterwards TorchSharp holds its libraries for loaded and asks for none.
/// </summary>
internal static unsafe class SecondLibTorch
{
    private static readonly string[] s_loadedFields = ["nativeBackendLoaded", "nativeBackendCudaLoaded"];
    private static delegate* unmanaged<byte*, int, nint> s_open;

    /// <summary>Keeps TorchSharp, which is loaded and has not run, from loading a second one.</summary>
    public static void KeepOut(Assembly torchSharp)
    {
        if (torchSharp.GetType("TorchSharp.torch") is not { } torch) return;
        // A runtime that is one file with its program has no table to change; such a program has its libraries in no folder either.
        var slots = SystemLibrary.Open("libcoreclr.so", out var runtime, out _) ? ImportTable.Of(runtime).Find("dlopen") : null;
        if (slots is null) return;
        s_open = (delegate* unmanaged<byte*, int, nint>)slots.Values[0];
        slots.Redirect((nint)(delegate* unmanaged<byte*, int, nint>)&Open);
        try
        {
            RuntimeHelpers.RunClassConstructor(torch.TypeHandle);
            foreach (var field in s_loadedFields) torch.GetField(field, BindingFlags.NonPublic | BindingFlags.Static)?.SetValue(null, true);
        }
        finally
        {
            slots.Redirect((nint)s_open);
        }
    }

    [UnmanagedCallersOnly]
    private static nint Open(byte* path, int flags)
    {
        if (Marshal.PtrToStringUTF8((nint)path) is { } asked && EngineLibraries.Named(Path.GetFileName(asked)) is { } named)
        {
            var text = Marshal.StringToCoTaskMemUTF8(named);
            var handle = s_open((byte*)text, flags);
            Marshal.FreeCoTaskMem(text);
            return handle;
        }

        return s_open(path, flags);
    }
}
