namespace LlmStageAudit.LibTorch;

/// <summary>An error libtorch reported, with the operator and what it was called with.</summary>
public sealed class TorchException : Exception
{
    private TorchException(string message, string operation, string arguments)
        : base(message)
    {
        Operation = operation;
        Arguments = arguments;
    }

    /// <summary>The operator with its overload, as in the dispatcher: aten::add.Tensor.</summary>
    public string Operation { get; }

    /// <summary>The arguments: dtype and shape of tensors, values of the rest.</summary>
    public string Arguments { get; }

    internal static TorchException FromNative(string operation, string arguments)
    {
        var reason = Native.LastError.ReplaceLineEndings(" ").Trim();
        return new TorchException($"{operation}({arguments}): {reason}", operation, arguments);
    }

    internal static TorchException Of(string operation, string arguments, string reason) =>
        new($"{operation}({arguments}): {reason}", operation, arguments);
}
