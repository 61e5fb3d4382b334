using System.Globalization;

namespace LlmStageAudit.LibTorch;

/// <summary>One argument of an operator call, converted implicitly from what callers have at hand.</summary>
public readonly struct OperatorArgument
{
    private OperatorArgument(ValueTag tag, long bits = 0, object? reference = null)
    {
        Tag = tag;
        Bits = bits;
        Reference = reference;
    }

    internal ValueTag Tag { get; }

    internal long Bits { get; }

    /// <summary>The tensor, list or string behind the value; also keeps tensors alive during the call.</summary>
    internal object? Reference { get; }

    /// <summary>The default of the operator's schema.</summary>
    public static OperatorArgument Default => new(ValueTag.Default);

    public static OperatorArgument None => new(ValueTag.None);

    public static implicit operator OperatorArgument(torch.Tensor? tensor) => tensor is null ? None : new(ValueTag.Tensor, 0, tensor);

    public static implicit operator OperatorArgument(long value) => new(ValueTag.Int, value);

    public static implicit operator OperatorArgument(double value) => new(ValueTag.Double, BitConverter.DoubleToInt64Bits(value));

    public static implicit operator OperatorArgument(bool value) => new(ValueTag.Bool, value ? 1 : 0);

    public static implicit operator OperatorArgument(long[] values) => new(ValueTag.IntList, 0, values);

    public static implicit operator OperatorArgument(torch.Tensor[] tensors) => new(ValueTag.TensorList, 0, tensors);

    public static implicit operator OperatorArgument(string value) => new(ValueTag.String, 0, value);

    public static implicit operator OperatorArgument(torch.ScalarType type) => new(ValueTag.Int, (long)type);

    public static implicit operator OperatorArgument(torch.Device? device) =>
        device is null ? None : new(ValueTag.Device, 0, device.ToString());

    public override string ToString() => Tag switch
    {
        ValueTag.None => "none",
        ValueTag.Tensor => ((torch.Tensor)Reference!).Description,
        ValueTag.Int => Bits.ToString(CultureInfo.InvariantCulture),
        ValueTag.Double => BitConverter.Int64BitsToDouble(Bits).ToString(CultureInfo.InvariantCulture),
        ValueTag.Bool => Bits != 0 ? "true" : "false",
        ValueTag.IntList => $"[{string.Join(", ", (long[])Reference!)}]",
        ValueTag.TensorList => $"[{string.Join(", ", ((torch.Tensor[])Reference!).Select(tensor => tensor.Description))}]",
        ValueTag.Default => "default",
        _ => $"'{Reference}'",
    };
}
