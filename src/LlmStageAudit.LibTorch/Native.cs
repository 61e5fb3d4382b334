using System.Runtime.InteropServices;

namespace LlmStageAudit.LibTorch;

/// <summary>The kinds of value the boxed dispatcher takes and returns; mirrors ValueTag in native/bridge.h.</summary>
internal enum ValueTag
{
    None = 0,
    Tensor = 1,
    Int = 2,
    Double = 3,
    Bool = 4,
    IntList = 5,
    TensorList = 6,
    String = 7,
    Device = 8,
    Default = 9,
}

[StructLayout(LayoutKind.Sequential)]
internal struct NativeValue
{
    public ValueTag Tag;
    public int Length;
    public long Bits;
}

/// <summary>The C surface of native/bridge.h. Nothing else in the toolkit calls native code.</summary>
internal static unsafe partial class Native
{
    private const string Library = "llmstageaudit_torch";

    [LibraryImport(Library, EntryPoint = "llmstageaudit_last_error")]
    private static partial nint LastErrorPointer();

    [LibraryImport(Library, EntryPoint = "llmstageaudit_torch_version")]
    private static partial nint TorchVersionPointer();

    [LibraryImport(Library, EntryPoint = "llmstageaudit_configuration")]
    private static partial nint ConfigurationPointer();

    public static string? Configuration => Marshal.PtrToStringUTF8(ConfigurationPointer());

    public static string LastError => Marshal.PtrToStringUTF8(LastErrorPointer()) ?? "";

    public static string TorchVersion => Marshal.PtrToStringUTF8(TorchVersionPointer()) ?? "";

    [LibraryImport(Library, EntryPoint = "llmstageaudit_operator_find", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint OperatorFind(string name, string overload);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_operator_call")]
    public static partial int OperatorCall(nint op, NativeValue* arguments, int argumentCount, NativeValue* results, int capacity);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_grad")]
    public static partial int Grad(
        nint* outputs, int outputCount, nint* inputs, int inputCount, nint* gradOutputs, int retainGraph, int createGraph,
        int allowUnused, nint* results);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_tensor_from_memory")]
    public static partial nint TensorFromMemory(void* data, long* shape, int rank, int scalarType, int copy);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_tensor_to_memory")]
    public static partial int TensorToMemory(nint tensor, void* data, long sizeBytes);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_tensor_free")]
    public static partial void TensorFree(nint tensor);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_tensor_live_count")]
    public static partial long TensorLiveCount();

    [LibraryImport(Library, EntryPoint = "llmstageaudit_tensor_rank")]
    public static partial int TensorRank(nint tensor);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_tensor_shape")]
    public static partial int TensorShape(nint tensor, long* shape, int capacity);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_tensor_scalar_type")]
    public static partial int TensorScalarType(nint tensor);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_tensor_device")]
    public static partial int TensorDevice(nint tensor, byte* text, int capacity);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_tensor_requires_grad")]
    public static partial int TensorRequiresGrad(nint tensor);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_tensor_set_requires_grad")]
    public static partial int TensorSetRequiresGrad(nint tensor, int value);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_grad_mode")]
    public static partial int GradMode();

    [LibraryImport(Library, EntryPoint = "llmstageaudit_set_grad_mode")]
    public static partial void SetGradMode(int enabled);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_manual_seed")]
    public static partial int ManualSeed(ulong seed);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_threads")]
    public static partial int Threads();

    [LibraryImport(Library, EntryPoint = "llmstageaudit_trim_memory")]
    public static partial void TrimMemory();

    [LibraryImport(Library, EntryPoint = "llmstageaudit_set_threads")]
    public static partial int SetThreads(int count);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_set_deterministic")]
    public static partial int SetDeterministic(int enabled);

    [LibraryImport(Library, EntryPoint = "llmstageaudit_cuda_device_count")]
    public static partial int CudaDeviceCount();

    [LibraryImport(Library, EntryPoint = "llmstageaudit_cuda_synchronize")]
    public static partial int CudaSynchronize(int deviceIndex);
}
