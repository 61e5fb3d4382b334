using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>The tensor engine of this process, libtorch: what it is, its threads, its memory. Operators are TorchSharp's.</summary>
public static unsafe class TorchEngine
{
    private const string DeterministicSwitch = "_ZN2at7Context26setDeterministicAlgorithmsEbb";
    private const string DeterministicState = "_ZNK2at7Context23deterministicAlgorithmsEv";
    private const string FillingSwitch = "_ZN2at7Context39setDeterministicFillUninitializedMemoryEb";
    private static readonly Lazy<TorchConfiguration> s_configuration = new(() =>
    {
        var configuration = EngineLibraries.Configuration;
        EngineCheck.Run(EngineLibraries.Folder);
        return configuration;
    });

    /// <summary>
    /// Makes TorchSharp find its libraries. Whatever of this project is used first does it; a program that makes tensors before that calls
    /// this at its start.
    /// </summary>
    public static void Register() => RuntimeHelpers.RunModuleConstructor(typeof(TorchEngine).Module.ModuleHandle);

    /// <summary>Loads libtorch and checks what it computes, once; nothing where that has been done.</summary>
    /// <exception cref="EngineException">It is missing, does not fit, or computes wrongly.</exception>
    public static void Require() => _ = s_configuration.Value;

    /// <summary>The version of the loaded libtorch, such as 2.10.0.</summary>
    public static string Version => s_configuration.Value.Version!;

    /// <summary>The folder libtorch was loaded from.</summary>
    public static string Folder => EngineLibraries.Folder;

    /// <summary>Its compiler and, where it has one, its CUDA.</summary>
    public static string Build => s_configuration.Value.Build;

    /// <summary>The vector instructions libtorch uses, such as AVX512.</summary>
    public static string? CpuCapability => s_configuration.Value.CpuCapability;

    /// <summary>The library of matrix products, with its version and, where it was chosen for it, its kernels.</summary>
    public static string? Blas => s_configuration.Value.Blas is { } blas ? blas + MatrixKernels.Note : null;

    /// <summary>OpenMP and oneDNN, with their versions.</summary>
    public static string Libraries => s_configuration.Value.Libraries;

    /// <summary>What hands out the memory of tensors: "page heap", or "malloc", the C library's, which takes a third more.</summary>
    public static string Allocator => TensorAllocator.Name;

    /// <summary>Threads inside an operator; results depend on it in the last bits.</summary>
    /// <exception cref="EngineException">Less than one.</exception>
    public static int Threads
    {
        get => get_num_threads();
        set
        {
            if (value < 1) throw EngineException.At("threads", $"{value}", "1 or more");
            set_num_threads(value);
        }
    }

    /// <summary>Whether operators that vary from run to run are refused. cuBLAS then computes in a fixed workspace.</summary>
    public static bool Deterministic
    {
        get => ((delegate* unmanaged<nint, byte>)EngineLibraries.TorchExport(DeterministicState))(Context) != 0;
        set
        {
            // Read when cuBLAS starts; a value the user set stays.
            if (value) SystemLibrary.SetDefaultVariable("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
            ((delegate* unmanaged<nint, byte, byte, void>)EngineLibraries.TorchExport(DeterministicSwitch))(Context, value ? (byte)1 : (byte)0, 0);
            // It also fills every new tensor with NaN, to show who reads memory before writing it: a kernel each, for nothing.
            if (NativeLibrary.TryGetExport(EngineLibraries.TorchCpu, FillingSwitch, out var filling))
                ((delegate* unmanaged<nint, byte, void>)filling)(Context, 0);
        }
    }

    /// <summary>Gives memory that tensors have left back to the system: resident is then what is alive.</summary>
    public static void TrimMemory() => TensorAllocator.Trim();

    private static nint Context => ((delegate* unmanaged<nint>)EngineLibraries.TorchExport("_ZN2at13globalContextEv"))();

#pragma warning disable CA2255 // TorchSharp must find its libraries whatever of this project is used first.
    [ModuleInitializer]
    internal static void Initialize() => EngineLibraries.Register();
#pragma warning restore CA2255
}
