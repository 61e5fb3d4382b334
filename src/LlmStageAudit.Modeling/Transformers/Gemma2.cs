using LlmStageAudit.Checkpoints.Models;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// Gemma 2 (Gemma Team 2024). Embeddings are scaled by sqrt(H). Per layer, with norms n1 to n4 of gain 1 + w:
/// <code>y = x + n2 attention(n1 x);  y + n4 mlp(n3 y)</code>
/// Scores are divided by sqrt(query_pre_attn_scalar) and soft-capped, the language model's logits are soft-capped, and every
/// other layer attends to a sliding window.
/// </summary>
internal sealed class Gemma2 : GatedDecoder
{
    private readonly Gemma2Config _config;
    private readonly RotaryEmbedding _rotary;
    private readonly GroupedQueryAttention _attention;
    private readonly GatedMlp _mlp;

    public Gemma2(Gemma2Config config)
        : base(
            config,
            [
                ("input_layernorm", config.HiddenSize),
                ("post_attention_layernorm", config.HiddenSize),
                ("pre_feedforward_layernorm", config.HiddenSize),
                ("post_feedforward_layernorm", config.HiddenSize),
            ],
            mlpBias: false,
            normAddsOne: true)
    {
        _config = config;
        _rotary = new RotaryEmbedding(config.HeadSize, config.Rotary);
        _attention = Attention(1 / Math.Sqrt(config.QueryPreAttentionScalar), config.AttentionSoftCap);
        _mlp = new GatedMlp(Activation.Named(config.Activation));
    }

    public override string CausalArchitecture => "Gemma2ForCausalLM";

    public override string ClassificationArchitecture => "Gemma2ForSequenceClassification";

    public override Tensor HiddenStates(ForwardWeights weights, Tensor ids, AttentionMask mask)
    {
        var x = EmbedScaled(weights, ids);
        for (var layer = 0; layer < _config.LayerCount; layer++)
            x = Layer(weights, $"model.layers.{layer}", x, _config.Sliding[layer] ? mask.Within(_config.SlidingWindow) : mask);
        return Norm(weights, "model.norm", x);
    }

    public override Tensor TokenLogits(ForwardWeights weights, string head, Tensor hidden) =>
        SoftCap.Apply(base.TokenLogits(weights, head, hidden), _config.FinalSoftCap);

    public override void Dispose() => _rotary.Dispose();

    private Tensor Layer(ForwardWeights weights, string name, Tensor x, AttentionMask mask) => WrappedTensorDisposeScope(() =>
    {
        var attended = _attention.Apply(weights, name + ".self_attn", Norm(weights, name + ".input_layernorm", x), _rotary, mask);
        var y = x.plus(Norm(weights, name + ".post_attention_layernorm", attended));
        var fed = _mlp.Apply(weights, name + ".mlp", Norm(weights, name + ".pre_feedforward_layernorm", y));
        return y.plus(Norm(weights, name + ".post_feedforward_layernorm", fed));
    });
}
