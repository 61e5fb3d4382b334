namespace LlmStageAudit.LibTorch;

/// <summary>
/// The tensor engine, under the names PyTorch and TorchSharp use. New tensors belong to the innermost dispose scope.
/// Errors are <see cref="TorchException"/> with the operator and the shapes it was given.
/// </summary>
public static unsafe partial class torch
{
    /// <summary>The version of the libtorch the bridge was built against, such as 1.13.1.</summary>
    public static string version => Native.TorchVersion;

    /// <summary>
    /// What decides the last bits of results on the CPU: capability (the vector instructions in use), openmp, mkl, mkldnn, interop (threads
    /// between operators), deterministic (0 or 1); where they can be found, blas (the file whose matrix product is called), openblas,
    /// openblas_core and openblas_threads.
    /// </summary>
    public static IReadOnlyDictionary<string, string> configuration() =>
        (Native.Configuration ?? throw TorchException.FromNative("configuration", ""))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split('=', 2))
        .ToDictionary(pair => pair[0], pair => pair[1].Trim());

    public static DisposeScope NewDisposeScope() => new();

    /// <summary>
    /// A computation's result, with the tensors it made on the way let go at its end, where autograd does not hold them. What is let go
    /// early is memory for what comes next; what waits for the end of a pass is fresh pages for every operator.
    /// </summary>
    public static Tensor WrappedTensorDisposeScope(Func<Tensor> compute)
    {
        using var scope = new DisposeScope();
        return scope.MoveToOuter(compute());
    }

    /// <summary>Native tensors alive in the process: returns to its value after balanced work.</summary>
    public static long LiveTensorCount => Native.TensorLiveCount();

    public static Tensor matmul(Tensor left, Tensor right) => Operators.Matmul.Call(left, right);

    public static Tensor cat(IReadOnlyList<Tensor> tensors, long dim = 0) => Operators.Cat.Call(tensors.ToArray(), dim);

    public static Tensor stack(IReadOnlyList<Tensor> tensors, long dim = 0) => Operators.Stack.Call(tensors.ToArray(), dim);

    public static Tensor where(Tensor condition, Tensor yes, Tensor no) => Operators.WhereSelf.Call(condition, yes, no);

    public static Tensor outer(Tensor left, Tensor right) => Operators.Outer.Call(left, right);

    public static Tensor arange(long end, ScalarType dtype = ScalarType.Int64, Device? device = null) =>
        Operators.Arange.Call(end, dtype, OperatorArgument.None, device ?? CPU);

    public static Tensor zeros(long[] shape, ScalarType dtype = ScalarType.Float32, Device? device = null) =>
        Operators.Zeros.Call(shape, dtype, OperatorArgument.None, device ?? CPU);

    public static Tensor ones(long[] shape, ScalarType dtype = ScalarType.Float32, Device? device = null) =>
        Operators.Ones.Call(shape, dtype, OperatorArgument.None, device ?? CPU);

    public static Tensor full(long[] shape, double value, ScalarType dtype = ScalarType.Float32, Device? device = null) =>
        Operators.Full.Call(shape, value, dtype, OperatorArgument.None, device ?? CPU);

    /// <summary>A tensor with a copy of the values, row-major. T decides the dtype: float, double, long, int, bool.</summary>
    public static Tensor tensor<T>(ReadOnlySpan<T> values, long[] shape, Device? device = null)
        where T : unmanaged
    {
        var count = shape.Aggregate(1L, (product, extent) => checked(product * extent));
        if (count != values.Length)
            throw TorchException.Of("tensor", $"[{string.Join(", ", shape)}]", $"{values.Length} values for {count} elements");
        fixed (T* pointer = values)
        {
            return FromMemory((nint)pointer, shape, ScalarTypeOf<T>(), copy: true, device);
        }
    }

    public static Tensor tensor<T>(T[] values, long[] shape, Device? device = null)
        where T : unmanaged => tensor<T>(values.AsSpan(), shape, device);

    /// <summary>A one-dimensional tensor with a copy of the values.</summary>
    public static Tensor tensor<T>(T[] values, Device? device = null)
        where T : unmanaged => tensor<T>(values.AsSpan(), [values.Length], device);

    /// <summary>A tensor over memory that is not copied: it must outlive the tensor. Meant for mapped files, read only.</summary>
    public static Tensor from_memory(nint address, long[] shape, ScalarType dtype) =>
        FromMemory(address, shape, dtype, copy: false, null);

    public static void manual_seed(long seed) => Check(Native.ManualSeed((ulong)seed), "manual_seed");

    public static int get_num_threads() => Native.Threads();

    public static void set_num_threads(int count) => Check(Native.SetThreads(count), "set_num_threads");

    /// <summary>
    /// Gives memory that tensors have left back to the system: resident memory is then that of what is alive. Until then what large
    /// tensors (from 64 KiB) leave is kept for later ones, so that no more is resident than was alive at one time, and 16 MiB.
    /// </summary>
    public static void trim_memory() => Native.TrimMemory();

    /// <summary>Demands operators whose results do not vary from run to run; others then fail.</summary>
    public static void use_deterministic_algorithms(bool enabled) =>
        Check(Native.SetDeterministic(enabled ? 1 : 0), "use_deterministic_algorithms");

    /// <summary>Switches gradient recording off on this thread until disposed.</summary>
    public static IDisposable no_grad() => new GradMode(enabled: false);

    /// <summary>Switches gradient recording on on this thread until disposed.</summary>
    public static IDisposable enable_grad() => new GradMode(enabled: true);

    internal static void Check(int status, string operation)
    {
        if (status < 0) throw TorchException.FromNative(operation, "");
    }

    private static Tensor FromMemory(nint address, long[] shape, ScalarType dtype, bool copy, Device? device)
    {
        nint handle;
        fixed (long* sizes = shape)
        {
            handle = Native.TensorFromMemory((void*)address, sizes, shape.Length, (int)dtype, copy ? 1 : 0);
        }

        if (handle == 0) throw TorchException.FromNative("tensor from memory", $"{dtype}[{string.Join(", ", shape)}]");
        var tensor = new Tensor(handle);
        if (device is null || device == CPU) return tensor;
        var moved = tensor.to(device);
        tensor.Dispose();
        return moved;
    }

    private static ScalarType ScalarTypeOf<T>() => default(T) switch
    {
        float => ScalarType.Float32,
        double => ScalarType.Float64,
        long => ScalarType.Int64,
        int => ScalarType.Int32,
        bool => ScalarType.Bool,
        _ => throw TorchException.Of("tensor", typeof(T).Name, "no such element type; expected float, double, long, int or bool"),
    };

    private sealed class GradMode : IDisposable
    {
        private readonly bool _previous = Native.GradMode() != 0;

        public GradMode(bool enabled) => Native.SetGradMode(enabled ? 1 : 0);

        public void Dispose() => Native.SetGradMode(_previous ? 1 : 0);
    }

    public static class cuda
    {
        public static bool is_available() => device_count() > 0;

        public static int device_count() => Native.CudaDeviceCount();

        public static void synchronize(int device = 0) => Check(Native.CudaSynchronize(device), "cuda.synchronize");
    }

    public static class nn
    {
        public static class functional
        {
            /// <summary>input [.., in] times weight [out, in] transposed, plus bias [out].</summary>
            public static Tensor linear(Tensor input, Tensor weight, Tensor? bias = null) => Operators.Linear.Call(input, weight, bias);

            /// <summary>Rows of weight [V, H] at ids: [.., H].</summary>
            public static Tensor embedding(Tensor ids, Tensor weight) => Operators.Embedding.Call(weight, ids);

            public static Tensor layer_norm(Tensor input, long[] normalized_shape, Tensor weight, Tensor bias, double eps) =>
                Operators.LayerNorm.Call(input, normalized_shape, weight, bias, eps);

            /// <param name="input">Any shape.</param>
            /// <param name="approximate">"none" (erf) or "tanh".</param>
            public static Tensor gelu(Tensor input, string approximate = "none") => Operators.Gelu.Call(input, approximate);

            public static Tensor silu(Tensor input) => Operators.Silu.Call(input);

            public static Tensor relu(Tensor input) => Operators.Relu.Call(input);
        }
    }
}
