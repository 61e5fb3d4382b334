using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Modeling.Parameters;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// GPT-NeoX (Black et al. 2022; Pythia). Per layer, with pre-norms n1 and n2:
/// <code>
/// parallel residual:    x + attention(n1 x) + mlp(n2 x)
/// sequential residual:  y = x + attention(n1 x);  y + mlp(n2 y)
/// </code>
/// query, key and value of a head lie side by side in one projection; a share of each head's dimensions is rotated.
/// </summary>
internal sealed class GptNeoX : Transformer, IDisposable
{
    private readonly GptNeoXConfig _config;
    private readonly RotaryEmbedding _rotary;
    private readonly Func<Tensor, Tensor> _activation;

    public GptNeoX(GptNeoXConfig config)
    {
        _config = config;
        _rotary = new RotaryEmbedding(config.RotaryDimensions, config.Rotary);
        _activation = Activation.Named(config.Activation);
        Trunk = [.. DescribeTrunk()];
        LinearModules = [.. DescribeLinearModules()];
    }

    public override IReadOnlyList<WeightSlot> Trunk { get; }

    public override IReadOnlyList<LinearModule> LinearModules { get; }

    public override WeightSlot? LanguageModelHead => _config.TieWordEmbeddings
        ? null
        : new WeightSlot("embed_out.weight", [_config.VocabularySize, _config.HiddenSize], WeightInit.Normal);

    public override IReadOnlyList<string> LanguageModelHeadAliases => ["lm_head.weight"];

    public override string EmbeddingName => "gpt_neox.embed_in.weight";

    public override string CausalArchitecture => "GPTNeoXForCausalLM";

    public override string ClassificationArchitecture => "GPTNeoXForSequenceClassification";

    public override int HiddenSize => _config.HiddenSize;

    public override int VocabularySize => _config.VocabularySize;

    public override int MaxPositions => _config.MaxPositions;

    public override double InitializerRange => _config.InitializerRange;

    public override int? PadTokenId => _config.PadTokenId;

    public override bool IsBuffer(string tensorName) =>
        tensorName.EndsWith(".attention.bias", StringComparison.Ordinal)
        || tensorName.EndsWith(".attention.masked_bias", StringComparison.Ordinal)
        || tensorName.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);

    public override Tensor HiddenStates(ForwardWeights weights, Tensor ids, AttentionMask mask)
    {
        var x = weights.Embed(EmbeddingName, ids);
        for (var layer = 0; layer < _config.LayerCount; layer++) x = Layer(weights, $"gpt_neox.layers.{layer}", x, mask);
        return Norm(weights, "gpt_neox.final_layer_norm", x);
    }

    public void Dispose() => _rotary.Dispose();

    private Tensor Layer(ForwardWeights weights, string name, Tensor x, AttentionMask mask) => WrappedTensorDisposeScope(() =>
    {
        var attended = x.plus(Attention(weights, name + ".attention", Norm(weights, name + ".input_layernorm", x), mask));
        var normed = Norm(weights, name + ".post_attention_layernorm", _config.UseParallelResidual ? x : attended);
        return attended.plus(Mlp(weights, name + ".mlp", normed));
    });

    private Tensor Attention(ForwardWeights weights, string name, Tensor x, AttentionMask mask) => WrappedTensorDisposeScope(() =>
    {
        var (batch, tokens) = (x.size(0), x.size(1));
        var heads = weights.Linear(name + ".query_key_value", x)
            .view(batch, tokens, _config.HeadCount, 3 * _config.HeadSize)
            .transpose(1, 2); // [B, heads, T, 3D]
        var query = _rotary.Rotate(heads.narrow(-1, 0, _config.HeadSize)).times(1 / Math.Sqrt(_config.HeadSize));
        var key = _rotary.Rotate(heads.narrow(-1, _config.HeadSize, _config.HeadSize));
        var value = heads.narrow(-1, 2 * _config.HeadSize, _config.HeadSize);
        var attention = WrappedTensorDisposeScope(() => mask.Softmax(query.batched_mm(key.transpose(-1, -2)))); // [B, heads, T, T]
        var mixed = attention.batched_mm(value).transpose(1, 2).reshape(batch, tokens, _config.HiddenSize);
        return weights.Linear(name + ".dense", mixed);
    });

    private Tensor Mlp(ForwardWeights weights, string name, Tensor x) =>
        weights.Linear(name + ".dense_4h_to_h", _activation(weights.Linear(name + ".dense_h_to_4h", x)));

    private Tensor Norm(ForwardWeights weights, string name, Tensor x) =>
        weights.LayerNorm(name, x, _config.LayerNormEpsilon);

    private IEnumerable<WeightSlot> DescribeTrunk()
    {
        yield return new WeightSlot(EmbeddingName, [_config.VocabularySize, _config.HiddenSize], WeightInit.Normal);
        for (var layer = 0; layer < _config.LayerCount; layer++)
        {
            foreach (var norm in DescribeNorm($"gpt_neox.layers.{layer}.input_layernorm")) yield return norm;
            foreach (var norm in DescribeNorm($"gpt_neox.layers.{layer}.post_attention_layernorm")) yield return norm;
            foreach (var module in DescribeLinearModules(layer))
            {
                yield return new WeightSlot(module.Name + ".weight", [module.Out, module.In], WeightInit.Normal);
                if (_config.AttentionBias || !module.Name.Contains(".attention.", StringComparison.Ordinal))
                    yield return new WeightSlot(module.Name + ".bias", [module.Out], WeightInit.Zeros);
            }
        }

        foreach (var norm in DescribeNorm("gpt_neox.final_layer_norm")) yield return norm;
    }

    private IEnumerable<WeightSlot> DescribeNorm(string name) =>
    [
        new(name + ".weight", [_config.HiddenSize], WeightInit.Ones),
        new(name + ".bias", [_config.HiddenSize], WeightInit.Zeros),
    ];

    private IEnumerable<LinearModule> DescribeLinearModules() =>
        Enumerable.Range(0, _config.LayerCount).SelectMany(DescribeLinearModules);

    private IEnumerable<LinearModule> DescribeLinearModules(int layer)
    {
        var (hidden, inner) = (_config.HiddenSize, _config.IntermediateSize);
        var name = $"gpt_neox.layers.{layer}";
        return
        [
            new(name + ".attention.query_key_value", hidden, 3 * hidden),
            new(name + ".attention.dense", hidden, hidden),
            new(name + ".mlp.dense_h_to_4h", hidden, inner),
            new(name + ".mlp.dense_4h_to_h", inner, hidden),
        ];
    }
}
