using LlmStageAudit.Checkpoints.Models;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// Gemma 1 (Gemma Team 2024). Embeddings are scaled by sqrt(H). Per layer, with pre-norms n1 and n2 of gain 1 + w:
/// <code>y = x + attention(n1 x);  y + mlp(n2 y)</code>
/// Scores are divided by sqrt(D).
/// </summary>
internal sealed class Gemma : GatedDecoder
{
    private readonly GemmaConfig _config;
    private readonly RotaryEmbedding _rotary;
    private readonly GroupedQueryAttention _attention;
    private readonly GatedMlp _mlp;

    public Gemma(GemmaConfig config)
        : base(
            config,
            [("input_layernorm", config.HiddenSize), ("post_attention_layernorm", config.HiddenSize)],
            mlpBias: false,
            normAddsOne: true)
    {
        _config = config;
        _rotary = new RotaryEmbedding(config.HeadSize, config.Rotary);
        _attention = Attention(1 / Math.Sqrt(config.HeadSize));
        _mlp = new GatedMlp(Activation.Named(config.Activation));
    }

    public override string CausalArchitecture => "GemmaForCausalLM";

    public override string ClassificationArchitecture => "GemmaForSequenceClassification";

    public override Tensor HiddenStates(ForwardWeights weights, Tensor ids, AttentionMask mask)
    {
        var x = EmbedScaled(weights, ids);
        for (var layer = 0; layer < _config.LayerCount; layer++) x = Layer(weights, $"model.layers.{layer}", x, mask);
        return Norm(weights, "model.norm", x);
    }

    public override void Dispose() => _rotary.Dispose();

    private Tensor Layer(ForwardWeights weights, string name, Tensor x, AttentionMask mask) => WrappedTensorDisposeScope(() =>
    {
        var attended = x.plus(_attention.Apply(weights, name + ".self_attn", Norm(weights, name + ".input_layernorm", x), _rotary, mask));
        return attended.plus(_mlp.Apply(weights, name + ".mlp", Norm(weights, name + ".post_attention_layernorm", attended)));
    });
}
