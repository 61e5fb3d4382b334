using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Modeling.Parameters;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// The frame Llama and the Gemmas share: names and shapes of weights, embedding, norms, heads. The arithmetic of a layer is
/// the family's.
/// </summary>
internal abstract class GatedDecoder : Transformer, IDisposable
{
    private readonly DecoderConfig _config;
    private readonly bool _normAddsOne;

    /// <summary>The weights every such family has, with what differs between them.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="layerNorms">Names and sizes of a layer's norms.</param>
    /// <param name="mlpBias">Whether the MLP's layers carry a bias.</param>
    /// <param name="normAddsOne">Whether a norm's gain is 1 + w rather than w.</param>
    private protected GatedDecoder(DecoderConfig config, IReadOnlyList<(string Name, int Size)> layerNorms, bool mlpBias, bool normAddsOne)
    {
        (_config, _normAddsOne) = (config, normAddsOne);
        Trunk = [.. DescribeTrunk(layerNorms, mlpBias)];
        LinearModules = [.. Enumerable.Range(0, config.LayerCount).SelectMany(DescribeLinearModules)];
    }

    public override IReadOnlyList<WeightSlot> Trunk { get; }

    public override IReadOnlyList<LinearModule> LinearModules { get; }

    public override WeightSlot? LanguageModelHead => _config.TieWordEmbeddings
        ? null
        : new WeightSlot("lm_head.weight", [_config.VocabularySize, _config.HiddenSize], WeightInit.Normal);

    /// <summary>Some files hold a tied head's copy.</summary>
    public override IReadOnlyList<string> LanguageModelHeadAliases => ["lm_head.weight"];

    public override string EmbeddingName => "model.embed_tokens.weight";

    public override int HiddenSize => _config.HiddenSize;

    public override int VocabularySize => _config.VocabularySize;

    public override int MaxPositions => _config.MaxPositions;

    public override double InitializerRange => _config.InitializerRange;

    public override int? PadTokenId => _config.PadTokenId;

    public override bool IsBuffer(string tensorName) => tensorName.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);

    public abstract void Dispose();

    /// <summary>
    /// Embeddings [B, T, H]. The padding token's row takes no gradient from its use as an input, as in the reference
    /// (padding_idx); as a row of a tied head it does.
    /// </summary>
    private protected Tensor Embed(ForwardWeights weights, Tensor ids)
    {
        var x = weights.Embed(EmbeddingName, ids);
        return _config.PadTokenId is { } pad && x.requires_grad ? where(ids.equals(pad).unsqueeze(-1), x.detach(), x) : x;
    }

    /// <summary>Embeddings times sqrt(H), rounded to their dtype first, as in the reference (Gemma).</summary>
    private protected Tensor EmbedScaled(ForwardWeights weights, Tensor ids)
    {
        var x = Embed(weights, ids);
        return x * Scalars.Filled([1], Math.Sqrt(HiddenSize), x.dtype, x.device);
    }

    private protected Tensor Norm(ForwardWeights weights, string name, Tensor x)
    {
        var weight = weights[name + ".weight"];
        // 1 + w would lose most of w in half precision.
        if (weight.dtype == bfloat16) weight = weight.to(float32);
        return RmsNorm.Apply(x, _normAddsOne ? weight.plus(1) : weight, _config.RmsNormEpsilon);
    }

    private protected GroupedQueryAttention Attention(double scale, double? softCap = null) =>
        new(_config.HeadCount, _config.KeyValueHeadCount, _config.HeadSize, scale, softCap);

    private IEnumerable<WeightSlot> DescribeTrunk(IReadOnlyList<(string Name, int Size)> layerNorms, bool mlpBias)
    {
        var normInit = _normAddsOne ? WeightInit.Zeros : WeightInit.Ones;
        yield return new WeightSlot(EmbeddingName, [_config.VocabularySize, _config.HiddenSize], WeightInit.Normal);
        for (var layer = 0; layer < _config.LayerCount; layer++)
        {
            foreach (var (name, size) in layerNorms) yield return new WeightSlot($"model.layers.{layer}.{name}.weight", [size], normInit);
            foreach (var module in DescribeLinearModules(layer))
            {
                yield return new WeightSlot(module.Name + ".weight", [module.Out, module.In], WeightInit.Normal);
                if (module.Name.Contains(".mlp.", StringComparison.Ordinal) ? mlpBias : _config.AttentionBias)
                    yield return new WeightSlot(module.Name + ".bias", [module.Out], WeightInit.Zeros);
            }
        }

        yield return new WeightSlot("model.norm.weight", [_config.HiddenSize], normInit);
    }

    private IEnumerable<LinearModule> DescribeLinearModules(int layer)
    {
        var (hidden, inner) = (_config.HiddenSize, _config.IntermediateSize);
        var (queries, keys) = ((long)_config.HeadCount * _config.HeadSize, (long)_config.KeyValueHeadCount * _config.HeadSize);
        var name = $"model.layers.{layer}";
        return
        [
            new(name + ".self_attn.q_proj", hidden, queries),
            new(name + ".self_attn.k_proj", hidden, keys),
            new(name + ".self_attn.v_proj", hidden, keys),
            new(name + ".self_attn.o_proj", queries, hidden),
            new(name + ".mlp.gate_proj", hidden, inner),
            new(name + ".mlp.up_proj", hidden, inner),
            new(name + ".mlp.down_proj", inner, hidden),
        ];
    }
}

/// <summary>The gated MLP (Shazeer 2020): down(activation(gate x) * up x).</summary>
internal sealed class GatedMlp(Func<Tensor, Tensor> activation)
{
    /// <summary>[B, T, H].</summary>
    /// <param name="weights">Holds gate_proj, up_proj and down_proj under the name.</param>
    /// <param name="name">Of the MLP, such as model.layers.0.mlp.</param>
    /// <param name="x">[B, T, H].</param>
    public Tensor Apply(ForwardWeights weights, string name, Tensor x) => WrappedTensorDisposeScope(() => weights.Linear(
        name + ".down_proj", activation(weights.Linear(name + ".gate_proj", x)) * weights.Linear(name + ".up_proj", x)));
}

/// <summary>
/// Root-mean-square normalisation over the last dimension (Zhang and Sennrich 2019):
/// <code>x / sqrt(mean(x^2) + epsilon) * g</code>
/// with gain g = w (Llama) or g = 1 + w (the Gemmas, whose weights start at zero).
/// </summary>
internal static class RmsNorm
{
    /// <summary>Computed in float32 at least, returned in the dtype of x.</summary>
    public static Tensor Apply(Tensor x, Tensor gain, double epsilon) => WrappedTensorDisposeScope(() =>
    {
        var wide = x.dtype == bfloat16 ? x.to(float32) : x;
        return (wide * (wide * wide).mean([-1], keepdim: true).plus(epsilon).rsqrt() * gain).to(x.dtype);
    });
}
