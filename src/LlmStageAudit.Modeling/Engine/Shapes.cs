namespace LlmStageAudit.Modeling.Engine;

/// <summary>Tensors in messages.</summary>
internal static class Shapes
{
    /// <summary>Element type, shape and device, such as Float32[2, 3] on cpu.</summary>
    public static string Of(Tensor tensor) => $"{tensor.dtype}[{string.Join(", ", tensor.shape)}] on {tensor.device}";
}
