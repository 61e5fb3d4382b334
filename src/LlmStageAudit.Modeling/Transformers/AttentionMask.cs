namespace LlmStageAudit.Modeling.Transformers;

/// <summary>Where attention may look: at earlier tokens, and never at padding.</summary>
public sealed class AttentionMask
{
    private readonly Tensor _additive;

    private AttentionMask(Tensor additive) => _additive = additive;

    /// <summary>Causal only. Padding on the right needs no more: no real token looks to its right.</summary>
    public static AttentionMask Causal(long tokens, ScalarType dtype, Device device) => new(Blocked(tokens, dtype, device));

    /// <summary>Causal, and blind to padding.</summary>
    /// <param name="real">[B, T], true at real tokens.</param>
    /// <param name="dtype">The dtype of the scores.</param>
    public static AttentionMask CausalWithPadding(Tensor real, ScalarType dtype)
    {
        var shape = real.shape;
        var padding = (1 - real.to(dtype)) * Lowest(dtype);
        // Both blocked stays finite: the larger of the two, not their sum, so that a fully blocked row is uniform.
        var causal = Blocked(shape[1], dtype, real.device).expand(shape[0], 1, shape[1], shape[1]);
        var columns = padding.view(shape[0], 1, 1, shape[1]).expand(shape[0], 1, shape[1], shape[1]);
        return new AttentionMask(where(causal.le(columns), causal, columns));
    }

    /// <summary>softmax over the allowed positions of scores [B, heads, T, T].</summary>
    public Tensor Softmax(Tensor scores) => (scores + _additive).softmax(-1);

    private static Tensor Blocked(long tokens, ScalarType dtype, Device device) =>
        full([tokens, tokens], Lowest(dtype), dtype, device).triu(1);

    /// <summary>Half the lowest finite value: adding a score cannot overflow.</summary>
    private static double Lowest(ScalarType dtype) => dtype == ScalarType.Float64 ? double.MinValue / 2 : -1.7e38;
}
