using System.Runtime.InteropServices;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>What libtorch says to whoever watches the standard error output (<c>c10::WarningHandler</c>, one per thread).</summary>
internal static unsafe class TorchWarnings
{
    private const string Choose = "_ZN3c1012WarningUtils19set_warning_handlerEPNS_14WarningHandlerE";
    private const string Chosen = "_ZN3c1012WarningUtils19get_warning_handlerEv";

    /// <summary>An object of C++: a pointer to its class's virtual functions (two destructors and process), and nothing else.</summary>
    private static readonly nint* s_mute = MuteHandler();

    /// <summary>Does something whose warnings are known and looked after.</summary>
    public static void Without(Action work)
    {
        var choose = (delegate* unmanaged<nint, void>)EngineLibraries.TorchExport(Choose);
        var before = ((delegate* unmanaged<nint>)EngineLibraries.TorchExport(Chosen))();
        choose((nint)s_mute);
        try
        {
            work();
        }
        finally
        {
            choose(before);
        }
    }

    private static nint* MuteHandler()
    {
        var memory = (nint*)NativeMemory.AllocZeroed(4, (nuint)sizeof(nint));
        memory[0] = (nint)(memory + 1);
        memory[1] = memory[2] = (nint)(delegate* unmanaged<nint, void>)&Nothing;
        memory[3] = (nint)(delegate* unmanaged<nint, nint, void>)&Ignore;
        return memory;
    }

    [UnmanagedCallersOnly]
    private static void Nothing(nint handler)
    {
    }

    [UnmanagedCallersOnly]
    private static void Ignore(nint handler, nint warning)
    {
    }
}
