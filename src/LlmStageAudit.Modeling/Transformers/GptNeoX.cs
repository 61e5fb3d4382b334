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
internal sealed class GptNeoX(GptNeoXConfig config) : Transformer(
    config,
    new FamilyNames(
        "GPTNeoXForCausalLM", "GPTNeoXForSequenceClassification",
        "gpt_neox.embed_in", "gpt_neox.layers", "gpt_neox.final_layer_norm", "embed_out"),
    [("input_layernorm", config.HiddenSize), ("post_attention_layernorm", config.HiddenSize)],
    (name, size) => [new(name + ".weight", [size], WeightInit.Ones), new(name + ".bias", [size], WeightInit.Zeros)],
    [
        new("attention.query_key_value", config.HiddenSize, 3 * config.HiddenSize, config.AttentionBias),
        new("attention.dense", config.HiddenSize, config.HiddenSize, config.AttentionBias),
        new("mlp.dense_h_to_4h", config.HiddenSize, config.IntermediateSize, HasBias: true),
        new("mlp.dense_4h_to_h", config.IntermediateSize, config.HiddenSize, HasBias: true),
    ])
{
    private readonly RotaryEmbedding _rotary = new(config.RotaryDimensions, config.Rotary);

    public override bool IsBuffer(string tensorName) =>
        base.IsBuffer(tensorName)
        || tensorName.EndsWith(".attention.bias", StringComparison.Ordinal)
        || tensorName.EndsWith(".attention.masked_bias", StringComparison.Ordinal);

    public override Tensor HiddenStates(ForwardWeights weights, Tensor ids, AttentionMask mask)
    {
        var x = weights.Embed(Embedding.Name, ids);
        for (var layer = 0; layer < config.LayerCount; layer++) x = Layer(weights, $"{Names.Layers}.{layer}", x, mask);
        return Norm(weights, Names.FinalNorm, x);
    }

    public override void Dispose() => _rotary.Dispose();

    private Tensor Layer(ForwardWeights weights, string name, Tensor x, AttentionMask mask) => WrappedTensorDisposeScope(() =>
    {
        var attended = x.plus(Attention(weights, name + ".attention", Norm(weights, name + ".input_layernorm", x), mask));
        var normed = Norm(weights, name + ".post_attention_layernorm", config.UseParallelResidual ? x : attended);
        return attended.plus(Mlp(weights, name + ".mlp", normed));
    });

    private Tensor Attention(ForwardWeights weights, string name, Tensor x, AttentionMask mask) => WrappedTensorDisposeScope(() =>
    {
        var (batch, tokens) = (x.size(0), x.size(1));
        var heads = weights.Linear(name + ".query_key_value", x)
            .view(batch, tokens, config.HeadCount, 3 * config.HeadSize)
            .transpose(1, 2); // [B, heads, T, 3D]
        var query = _rotary.Rotate(heads.narrow(-1, 0, config.HeadSize)).times(1 / Math.Sqrt(config.HeadSize));
        var key = _rotary.Rotate(heads.narrow(-1, config.HeadSize, config.HeadSize));
        var value = heads.narrow(-1, 2 * config.HeadSize, config.HeadSize);
        var attention = WrappedTensorDisposeScope(() => mask.Softmax(query.batched_mm(key.transpose(-1, -2)))); // [B, heads, T, T]
        var mixed = attention.batched_mm(value).transpose(1, 2).reshape(batch, tokens, config.HiddenSize);
        return weights.Linear(name + ".dense", mixed);
    });

    private Tensor Mlp(ForwardWeights weights, string name, Tensor x) =>
        weights.Linear(name + ".dense_4h_to_h", Activate(config.Activation, weights.Linear(name + ".dense_h_to_4h", x)));

    private Tensor Norm(ForwardWeights weights, string name, Tensor x) => weights.LayerNorm(name, x, config.LayerNormEpsilon);
}
