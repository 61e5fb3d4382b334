namespace LlmStageAudit.Modeling.Engine;

/// <summary>
/// Tensors with plain numbers. TorchSharp makes an object of its own of every number, and its operators do not keep that object: the garbage
/// collector may free it while native code still reads it, and then another number is computed with, or none. Here the object is held until
/// the operator has returned. Nothing else of the project gives numbers to TorchSharp's operators, nor uses those that make a number by
/// themselves: the sum of two tensors is the first and once the second.
/// </summary>
public static class Scalars
{
    private static readonly Scalar s_once = 1L;

    /// <summary>tensor * factor.</summary>
    public static Tensor times(this Tensor tensor, double factor)
    {
        using Scalar number = factor;
        return tensor.mul(number);
    }

    /// <summary>tensor / divisor.</summary>
    public static Tensor over(this Tensor tensor, double divisor)
    {
        using Scalar number = divisor;
        return tensor.div(number);
    }

    /// <summary>tensor + term.</summary>
    public static Tensor plus(this Tensor tensor, double term)
    {
        using Scalar number = term;
        return tensor.add(number, s_once);
    }

    /// <summary>tensor + other.</summary>
    public static Tensor plus(this Tensor tensor, Tensor other) => tensor.add(other, s_once);

    /// <summary>tensor + factor * other, in one operator.</summary>
    public static Tensor plus(this Tensor tensor, Tensor other, double factor)
    {
        using Scalar number = factor;
        return tensor.add(other, number);
    }

    /// <summary>Whether each element equals a number.</summary>
    internal static Tensor equals(this Tensor tensor, long number)
    {
        using Scalar value = number;
        return tensor.eq(value);
    }

    /// <summary>The tensor with a number in the places where the mask is true.</summary>
    public static Tensor filled(this Tensor tensor, Tensor mask, double number)
    {
        using Scalar value = number;
        return tensor.masked_fill(mask, value);
    }

    /// <summary>A new tensor, the number everywhere.</summary>
    public static Tensor Filled(long[] shape, double number, ScalarType dtype, Device device)
    {
        using Scalar value = number;
        return full(shape, value, dtype, device);
    }

    /// <summary>The one element as a double.</summary>
    public static double ToNumber(this Tensor tensor)
    {
        using var number = tensor.ToScalar();
        GC.KeepAlive(tensor);
        return number.ToDouble();
    }
}
