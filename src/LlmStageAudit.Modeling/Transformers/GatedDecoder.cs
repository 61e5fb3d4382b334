using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Modeling.Parameters;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// Llama and the Gemmas. Per layer, with norms n1 to n4, of which Llama and Gemma 1 have n1 and n3 alone:
/// <code>y = x + n2 attention(n1 x);  y + n4 mlp(n3 y)</code>
/// The MLP is gated (Shazeer 2020): <code>down(activation(gate x) * up x)</code>
/// In attention, groups of query heads share a head of keys and values (Ainslie et al. 2023). For query head h, with rotated q
/// and k, and g = h / (heads / key heads) rounded down:
/// <code>softmax(mask(cap(scale q_h k_g'))) v_g</code>
/// Norms are root-mean-square norms over the last dimension (Zhang and Sennrich 2019), with gain g = w, or g = 1 + w where
/// weights start at zero: <code>x / sqrt(mean(x^2) + epsilon) * g</code>
/// </summary>
internal sealed class GatedDecoder : Transformer
{
    private readonly DecoderConfig _config;
    private readonly GatedFamily _family;
    private readonly RotaryEmbedding _rotary;
    private readonly RotaryEmbedding _slidingRotary;

    public GatedDecoder(DecoderConfig config)
        : this(config, GatedFamily.Of(config))
    {
    }

    private GatedDecoder(DecoderConfig config, GatedFamily family)
        : base(
            config,
            new FamilyNames(
                family.Name + "ForCausalLM", (family.ClassifierName ?? family.Name) + "ForSequenceClassification",
                "model.embed_tokens", "model.layers", "model.norm", "lm_head"),
            [.. LayerNorms(config, family)],
            (name, size) => [new(name + ".weight", [size], family.IsGemma ? WeightInit.Zeros : WeightInit.Ones)],
            [.. LayerModules(config, family)])
    {
        (_config, _family) = (config, family);
        _rotary = new RotaryEmbedding(config.HeadSize, family.Rotary);
        _slidingRotary = family.SlidingRotary is { } sliding ? new RotaryEmbedding(config.HeadSize, sliding) : _rotary;
    }

    public override Tensor HiddenStates(ForwardWeights weights, Tensor ids, AttentionMask mask)
    {
        var x = Embed(weights, ids);
        for (var layer = 0; layer < _config.LayerCount; layer++)
        {
            var name = $"{Names.Layers}.{layer}";
            x = _family.Sliding is { } sliding && sliding.Layers[layer]
                ? Layer(weights, name, x, _slidingRotary, mask.Within(sliding.Window))
                : Layer(weights, name, x, _rotary, mask);
        }

        return Norm(weights, Names.FinalNorm, x);
    }

    public override Tensor TokenLogits(ForwardWeights weights, string head, Tensor hidden) =>
        Capped(base.TokenLogits(weights, head, hidden), _family.FinalSoftCap);

    public override void Dispose()
    {
        _rotary.Dispose();
        _slidingRotary.Dispose();
    }

    private static IEnumerable<(string Name, long Size)> LayerNorms(DecoderConfig config, GatedFamily family)
    {
        yield return ("input_layernorm", config.HiddenSize);
        if (family.NormsHeads) yield return ("self_attn.q_norm", config.HeadSize);
        if (family.NormsHeads) yield return ("self_attn.k_norm", config.HeadSize);
        yield return ("post_attention_layernorm", config.HiddenSize);
        if (family.NormsBranches) yield return ("pre_feedforward_layernorm", config.HiddenSize);
        if (family.NormsBranches) yield return ("post_feedforward_layernorm", config.HiddenSize);
    }

    private static IEnumerable<LinearModule> LayerModules(DecoderConfig config, GatedFamily family)
    {
        var (hidden, inner) = (config.HiddenSize, config.IntermediateSize);
        var (queries, keys) = ((long)config.HeadCount * config.HeadSize, (long)config.KeyValueHeadCount * config.HeadSize);
        return
        [
            new("self_attn.q_proj", hidden, queries, config.AttentionBias),
            new("self_attn.k_proj", hidden, keys, config.AttentionBias),
            new("self_attn.v_proj", hidden, keys, config.AttentionBias),
            new("self_attn.o_proj", queries, hidden, config.AttentionBias),
            new("mlp.gate_proj", hidden, inner, family.MlpBias),
            new("mlp.up_proj", hidden, inner, family.MlpBias),
            new("mlp.down_proj", inner, hidden, family.MlpBias),
        ];
    }

    /// <summary>
    /// Embeddings [B, T, H]. The padding token's row takes no gradient from its use as an input, as in the reference
    /// (padding_idx); as a row of a tied head it does. The Gemmas' factor is rounded to the embeddings' dtype first, as there.
    /// </summary>
    private Tensor Embed(ForwardWeights weights, Tensor ids)
    {
        var x = weights.Embed(Embedding.Name, ids);
        if (_config.PadTokenId is { } pad && x.requires_grad) x = where(ids.equals(pad).unsqueeze(-1), x.detach(), x);
        return _family.IsGemma ? x * Scalars.Filled([1], Math.Sqrt(_config.HiddenSize), x.dtype, x.device) : x;
    }

    private Tensor Layer(
        ForwardWeights weights, string name, Tensor x, RotaryEmbedding rotary, AttentionMask mask) => WrappedTensorDisposeScope(() =>
    {
        var attended = Attention(weights, name + ".self_attn", Norm(weights, name + ".input_layernorm", x), rotary, mask);
        if (!_family.NormsBranches)
        {
            var sum = x.plus(attended);
            return sum.plus(Mlp(weights, name + ".mlp", Norm(weights, name + ".post_attention_layernorm", sum)));
        }

        var y = x.plus(Norm(weights, name + ".post_attention_layernorm", attended));
        var fed = Mlp(weights, name + ".mlp", Norm(weights, name + ".pre_feedforward_layernorm", y));
        return y.plus(Norm(weights, name + ".post_feedforward_layernorm", fed));
    });

    private Tensor Attention(
        ForwardWeights weights, string name, Tensor x, RotaryEmbedding rotary, AttentionMask mask) => WrappedTensorDisposeScope(() =>
    {
        var query = Heads(weights.Linear(name + ".q_proj", x), _config.HeadCount);
        var key = Heads(weights.Linear(name + ".k_proj", x), _config.KeyValueHeadCount);
        var value = Heads(weights.Linear(name + ".v_proj", x), _config.KeyValueHeadCount);
        if (_family.NormsHeads) (query, key) = (Norm(weights, name + ".q_norm", query), Norm(weights, name + ".k_norm", key));
        var attention = WrappedTensorDisposeScope(() =>
        {
            var keys = ForEachQuery(rotary.Rotate(key)).transpose(-1, -2);
            var scores = rotary.Rotate(query).times(1 / Math.Sqrt(_family.ScoreDivisor)).batched_mm(keys); // [B, heads, T, T]
            return mask.Softmax(Capped(scores, _family.AttentionSoftCap));
        });
        var mixed = attention.batched_mm(ForEachQuery(value)); // [B, heads, T, D]
        var joined = mixed.transpose(1, 2).reshape(x.size(0), x.size(1), (long)_config.HeadCount * _config.HeadSize);
        return weights.Linear(name + ".o_proj", joined);
    });

    private Tensor Mlp(ForwardWeights weights, string name, Tensor x) => WrappedTensorDisposeScope(() =>
    {
        var gate = Activate(_config.Activation, weights.Linear(name + ".gate_proj", x));
        return weights.Linear(name + ".down_proj", gate * weights.Linear(name + ".up_proj", x));
    });

    /// <summary>Computed in float32 at least, returned in the dtype of x: 1 + w would lose most of w in half precision.</summary>
    private Tensor Norm(ForwardWeights weights, string name, Tensor x) => WrappedTensorDisposeScope(() =>
    {
        var (wide, gain) = (Wide(x), Wide(weights[name + ".weight"]));
        if (_family.IsGemma) gain = gain.plus(1);
        return (wide * (wide * wide).mean([-1], keepdim: true).plus(_config.RmsNormEpsilon).rsqrt() * gain).to(x.dtype);

        static Tensor Wide(Tensor tensor) => tensor.dtype == bfloat16 ? tensor.to(float32) : tensor;
    });

    /// <summary>[B, T, heads * D] as [B, heads, T, D].</summary>
    private Tensor Heads(Tensor x, int heads) => x.view(x.size(0), x.size(1), heads, _config.HeadSize).transpose(1, 2);

    /// <summary>Each key head, repeated for the query heads it serves: [B, key heads, T, D] to [B, heads, T, D].</summary>
    private Tensor ForEachQuery(Tensor x)
    {
        if (_config.KeyValueHeadCount == _config.HeadCount) return x;
        var (batch, tokens) = (x.size(0), x.size(2));
        return x.unsqueeze(2)
            .expand(batch, _config.KeyValueHeadCount, _config.HeadCount / _config.KeyValueHeadCount, tokens, _config.HeadSize)
            .reshape(batch, _config.HeadCount, tokens, _config.HeadSize);
    }

    /// <summary>cap * tanh(x / cap): near x for small x and never beyond the cap; null leaves x as it is (Gemma 2).</summary>
    private static Tensor Capped(Tensor x, double? cap) => cap is { } bound ? x.over(bound).tanh().times(bound) : x;
}
