using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// Which matrix products MKL, inside libtorch, computes with on AMD's processors. It asks who made the processor and gives others than
/// Intel's its general code; with AVX-512 (Zen 4 and later) its own code for that is a third faster there. Here the question is answered
/// with yes on those; what the processor can do MKL looks up by itself. STAGEAUDIT_MKL=general leaves it its choice. Results differ between
/// the two in the last bits, as between processors; a run records which (<see cref="TorchEngine.Blas"/>).
/// </summary>
internal static unsafe class MatrixKernels
{
    /// <summary>What is said beside MKL's name; empty where it chose by itself.</summary>
    public static string Note { get; private set; } = "";

    /// <summary>To be called once libtorch_cpu, which MKL is a part of, is loaded and before its first product.</summary>
    public static void Choose(nint torchCpu)
    {
        if (Environment.GetEnvironmentVariable("STAGEAUDIT_MKL") == "general" || !Avx512F.IsSupported || !IsAmd()) return;
        var imports = ImportTable.Of(torchCpu);
        // The second asks the first, but remembers.
        if (imports.Find("mkl_serv_intel_cpu_true", callsAlone: true) is not { } asked) return;
        if (imports.Find("mkl_serv_intel_cpu", callsAlone: true) is not { } remembered) return;
        asked.Redirect((nint)(delegate* unmanaged<int>)&Yes);
        remembered.Redirect((nint)(delegate* unmanaged<int>)&Yes);
        Note = ", AVX-512 on AMD";
    }

    private static bool IsAmd()
    {
        var (_, ebx, ecx, edx) = X86Base.CpuId(0, 0);
        ReadOnlySpan<int> vendor = [ebx, edx, ecx];
        return MemoryMarshal.AsBytes(vendor).SequenceEqual("AuthenticAMD"u8);
    }

    [UnmanagedCallersOnly]
    private static int Yes() => 1;
}
