namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// Causal attention in which groups of query heads share a head of keys and values (Ainslie et al. 2023). For query head h, with
/// rotated q and k, and g = h / (heads / key heads) rounded down:
/// <code>softmax(mask(cap(scale q_h k_g'))) v_g</code>
/// </summary>
/// <param name="headCount">Query heads.</param>
/// <param name="keyValueHeadCount">Heads of keys and values; a divisor of the query heads.</param>
/// <param name="headSize">D.</param>
/// <param name="scale">What scores are multiplied with.</param>
/// <param name="softCap">Bound of the scaled scores; null for none.</param>
internal sealed class GroupedQueryAttention(int headCount, int keyValueHeadCount, int headSize, double scale, double? softCap = null)
{
    /// <summary>The attention of every position to the ones it may look at.</summary>
    /// <param name="weights">Holds q_proj, k_proj, v_proj and o_proj under the name.</param>
    /// <param name="name">Of the attention, such as model.layers.0.self_attn.</param>
    /// <param name="x">[B, T, H].</param>
    /// <param name="rotary">Rotates queries and keys.</param>
    /// <param name="mask">Where to look.</param>
    /// <param name="headNorm">Normalises each query (q_norm) and key (k_norm) before it is rotated; null for families without.</param>
    /// <returns>[B, T, H].</returns>
    public Tensor Apply(
        ForwardWeights weights,
        string name,
        Tensor x,
        RotaryEmbedding rotary,
        AttentionMask mask,
        Func<string, Tensor, Tensor>? headNorm = null) => WrappedTensorDisposeScope(() =>
    {
        var query = Heads(weights.Linear(name + ".q_proj", x), headCount);
        var key = Heads(weights.Linear(name + ".k_proj", x), keyValueHeadCount);
        var value = Heads(weights.Linear(name + ".v_proj", x), keyValueHeadCount);
        if (headNorm is not null) (query, key) = (headNorm(name + ".q_norm", query), headNorm(name + ".k_norm", key));
        var attention = WrappedTensorDisposeScope(() =>
        {
            var scores = rotary.Rotate(query).times(scale).batched_mm(ForEachQuery(rotary.Rotate(key)).transpose(-1, -2)); // [B, heads, T, T]
            return mask.Softmax(SoftCap.Apply(scores, softCap));
        });
        var mixed = attention.batched_mm(ForEachQuery(value)); // [B, heads, T, D]
        return weights.Linear(name + ".o_proj", mixed.transpose(1, 2).reshape(x.size(0), x.size(1), (long)headCount * headSize));
    });

    /// <summary>[B, T, heads * D] as [B, heads, T, D].</summary>
    private Tensor Heads(Tensor x, int heads) => x.view(x.size(0), x.size(1), heads, headSize).transpose(1, 2);

    /// <summary>Each key head, repeated for the query heads it serves: [B, key heads, T, D] to [B, heads, T, D].</summary>
    private Tensor ForEachQuery(Tensor x)
    {
        if (keyValueHeadCount == headCount) return x;
        var (batch, tokens) = (x.size(0), x.size(2));
        return x.unsqueeze(2)
            .expand(batch, keyValueHeadCount, headCount / keyValueHeadCount, tokens, headSize)
            .reshape(batch, headCount, tokens, headSize);
    }
}

/// <summary>A smooth bound: cap * tanh(x / cap), near x for small x and never beyond the cap (Gemma 2).</summary>
internal static class SoftCap
{
    /// <summary>The bounded values, of the same shape.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="cap">The bound; null leaves x as it is.</param>
    public static Tensor Apply(Tensor x, double? cap) => cap is { } bound ? x.over(bound).tanh().times(bound) : x;
}
