using System.Runtime.InteropServices;

namespace LlmStageAudit.Modeling.Engine;

/// <summary>Between tensors and memory that is not libtorch's.</summary>
public static unsafe partial class TensorMemory
{
    /// <summary>The elements in row-major order, whatever the device.</summary>
    /// <exception cref="EngineException">T is not the tensor's element type.</exception>
    public static T[] ToArray<T>(this Tensor tensor)
        where T : unmanaged
    {
        var values = new T[tensor.numel()];
        tensor.CopyTo<T>(values);
        return values;
    }

    /// <summary>Copies the elements in row-major order, whatever the device.</summary>
    /// <exception cref="EngineException">T is not the tensor's element type, or the destination is of another length.</exception>
    public static void CopyTo<T>(this Tensor tensor, Span<T> destination)
        where T : unmanaged
    {
        if (tensor.element_size() != sizeof(T) || tensor.numel() != destination.Length || tensor.dtype != ElementType<T>())
            throw EngineException.At("copy to memory", Shapes.Of(tensor), $"{destination.Length} elements of {typeof(T).Name}");
        using var host = tensor.detach();
        using var near = host.cpu();
        using var packed = near.contiguous();
        Elements<T>(packed).CopyTo(destination);
    }

    /// <summary>Whether every element is a finite number.</summary>
    public static bool AllFinite(this Tensor tensor)
    {
        using var finite = tensor.isfinite();
        using var all = finite.all();
        return all.item<bool>();
    }

    /// <summary>
    /// A tensor over memory that is not copied: it must outlive the tensor. Meant for mapped files, read only. It lies as the memory lies,
    /// which need not be as libtorch aligns its own: what is computed with goes into a tensor of libtorch's first.
    /// </summary>
    internal static Tensor Over(nint address, long[] shape, ScalarType dtype)
    {
        nint handle;
        fixed (long* sizes = shape)
        {
            handle = NewTensor(address, 0, (nint)sizes, shape.Length, (sbyte)dtype, (sbyte)dtype, (int)DeviceType.CPU, -1, requiresGrad: false);
        }

        return handle != 0
            ? Tensor.UnsafeCreateTensor(handle)
            : throw EngineException.At("tensor over memory", $"{dtype}[{string.Join(", ", shape)}]", "a shape and a type libtorch knows");
    }

    /// <summary>A tensor with a copy of the values, row-major, in memory as libtorch aligns it.</summary>
    /// <param name="values">float, double, long, int or bool: that decides the element type.</param>
    /// <param name="shape">Row-major; its product is the number of values.</param>
    /// <param name="device">Where it goes; null for the CPU.</param>
    public static Tensor Of<T>(ReadOnlySpan<T> values, long[] shape, Device? device = null)
        where T : unmanaged
    {
        // Of doubles, which do not wrap around: exact as far as a count of values goes.
        if (shape.Any(extent => extent < 0) || shape.Aggregate(1.0, (product, extent) => product * extent) != values.Length)
        {
            throw EngineException.At(
                "tensor", $"{values.Length} values for the shape [{string.Join(", ", shape)}]", "one per element");
        }

        var made = empty(shape, ElementType<T>());
        values.CopyTo(Elements<T>(made));
        if (device is null or { type: DeviceType.CPU }) return made;
        using (made) return made.to(device);
    }

    /// <summary>A one-dimensional tensor with a copy of the values.</summary>
    public static Tensor Of<T>(ReadOnlySpan<T> values, Device? device = null)
        where T : unmanaged => Of(values, [values.Length], device);

    // TorchSharp's own view of a tensor's bytes counts them in an int.
    private static Span<T> Elements<T>(Tensor packed)
        where T : unmanaged => new((void*)Data(packed.Handle), checked((int)packed.numel()));

    private static ScalarType ElementType<T>() => default(T) switch
    {
        float => ScalarType.Float32,
        double => ScalarType.Float64,
        long => ScalarType.Int64,
        int => ScalarType.Int32,
        bool => ScalarType.Bool,
        _ => throw EngineException.At("tensor", $"elements of {typeof(T).Name}", "float, double, long, int or bool"),
    };

    [LibraryImport(EngineLibraries.Bridge, EntryPoint = "THSTensor_data")]
    private static partial nint Data(nint tensor);

    [LibraryImport(EngineLibraries.Bridge, EntryPoint = "THSTensor_new")]
    private static partial nint NewTensor(
        nint data, nint deleter, nint sizes, int rank, sbyte elementType, sbyte dtype, int deviceType, int deviceIndex,
        [MarshalAs(UnmanagedType.U1)] bool requiresGrad);
}

/// <summary>Tensors in messages.</summary>
internal static class Shapes
{
    /// <summary>Element type, shape and device, such as Float32[2, 3] on cpu.</summary>
    public static string Of(Tensor tensor) => $"{tensor.dtype}[{string.Join(", ", tensor.shape)}] on {tensor.device}";
}
