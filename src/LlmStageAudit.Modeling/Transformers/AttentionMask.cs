namespace LlmStageAudit.Modeling.Transformers;

/// <summary>Where attention may look: at earlier tokens, all or the nearest, and never at padding. Made for one forward pass.</summary>
internal sealed class AttentionMask(Tensor additive)
{
    private readonly Dictionary<long, AttentionMask> _within = [];

    /// <summary>Causal only. Padding on the right needs no more: no real token looks to its right.</summary>
    public static AttentionMask Causal(long tokens, ScalarType dtype, Device device) => new(Blocked(tokens, dtype, device));

    /// <summary>Causal, and blind to padding: [B, T], true at real tokens.</summary>
    public static AttentionMask CausalWithPadding(Tensor real, ScalarType dtype)
    {
        var shape = real.shape;
        var padding = real.logical_not().to(dtype).times(Lowest(dtype));
        // Both blocked stays finite: the larger of the two, not their sum, so that a fully blocked row is uniform.
        var causal = Blocked(shape[1], dtype, real.device).expand(shape[0], 1, shape[1], shape[1]);
        var columns = padding.view(shape[0], 1, 1, shape[1]).expand(shape[0], 1, shape[1], shape[1]);
        return new AttentionMask(where(causal.le(columns), causal, columns));
    }

    /// <summary>
    /// This mask, and blind to keys farther back: query i sees key j where i - window &lt; j &lt;= i. Made once per window, in the
    /// dispose scope of the first call. The window, at least 1, counts the query's own token.
    /// </summary>
    public AttentionMask Within(long window)
    {
        var tokens = additive.size(-1);
        if (window >= tokens) return this;
        if (_within.TryGetValue(window, out var made)) return made;
        var far = Scalars.Filled([tokens, tokens], Lowest(additive.dtype), additive.dtype, additive.device).tril(-window);
        return _within[window] = new AttentionMask(where(additive.le(far), additive, far));
    }

    /// <summary>softmax over the allowed positions of scores [B, heads, T, T], in float32 at least.</summary>
    public Tensor Softmax(Tensor scores) => WrappedTensorDisposeScope(() =>
    {
        var masked = scores.plus(additive);
        return masked.dtype == bfloat16 ? masked.to(float32).softmax(-1).to(bfloat16) : masked.softmax(-1);
    });

    private static Tensor Blocked(long tokens, ScalarType dtype, Device device) =>
        Scalars.Filled([tokens, tokens], Lowest(dtype), dtype, device).triu(1);

    /// <summary>Half the lowest finite value: adding a score cannot overflow.</summary>
    private static double Lowest(ScalarType dtype) => dtype == ScalarType.Float64 ? double.MinValue / 2 : -1.7e38;
}
