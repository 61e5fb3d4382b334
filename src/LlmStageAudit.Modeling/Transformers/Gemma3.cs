using LlmStageAudit.Checkpoints.Models;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// Gemma 3, text (Gemma Team 2025). Embeddings are scaled by sqrt(H). Per layer, with norms n1 to n4 of gain 1 + w:
/// <code>y = x + n2 attention(n1 x);  y + n4 mlp(n3 y)</code>
/// Queries and keys are normalised per head before they are rotated; scores are divided by sqrt(query_pre_attn_scalar). Most
/// layers attend to a sliding window and rotate with a base of their own.
/// </summary>
internal sealed class Gemma3 : GatedDecoder
{
    private readonly Gemma3Config _config;
    private readonly RotaryEmbedding _globalRotary;
    private readonly RotaryEmbedding _localRotary;
    private readonly GroupedQueryAttention _attention;
    private readonly GatedMlp _mlp;

    public Gemma3(Gemma3Config config)
        : base(
            config,
            [
                ("input_layernorm", config.HiddenSize),
                ("self_attn.q_norm", config.HeadSize),
                ("self_attn.k_norm", config.HeadSize),
                ("post_attention_layernorm", config.HiddenSize),
                ("pre_feedforward_layernorm", config.HiddenSize),
                ("post_feedforward_layernorm", config.HiddenSize),
            ],
            mlpBias: false,
            normAddsOne: true)
    {
        _config = config;
        _globalRotary = new RotaryEmbedding(config.HeadSize, config.GlobalRotary);
        _localRotary = new RotaryEmbedding(config.HeadSize, config.LocalRotary);
        _attention = Attention(1 / Math.Sqrt(config.QueryPreAttentionScalar));
        _mlp = new GatedMlp(Activation.Named(config.Activation));
    }

    public override string CausalArchitecture => "Gemma3ForCausalLM";

    public override string ClassificationArchitecture => "Gemma3TextForSequenceClassification";

    public override Tensor HiddenStates(ForwardWeights weights, Tensor ids, AttentionMask mask)
    {
        var x = EmbedScaled(weights, ids);
        for (var layer = 0; layer < _config.LayerCount; layer++)
        {
            x = _config.Sliding[layer]
                ? Layer(weights, $"model.layers.{layer}", x, _localRotary, mask.Within(_config.SlidingWindow))
                : Layer(weights, $"model.layers.{layer}", x, _globalRotary, mask);
        }

        return Norm(weights, "model.norm", x);
    }

    public override Tensor TokenLogits(ForwardWeights weights, string head, Tensor hidden) =>
        SoftCap.Apply(base.TokenLogits(weights, head, hidden), _config.FinalSoftCap);

    public override void Dispose()
    {
        _globalRotary.Dispose();
        _localRotary.Dispose();
    }

    private Tensor Layer(
        ForwardWeights weights, string name, Tensor x, RotaryEmbedding rotary, AttentionMask mask) => WrappedTensorDisposeScope(() =>
    {
        var normed = Norm(weights, name + ".input_layernorm", x);
        var attended = _attention.Apply(weights, name + ".self_attn", normed, rotary, mask, (norm, heads) => Norm(weights, norm, heads));
        var y = x.plus(Norm(weights, name + ".post_attention_layernorm", attended));
        var fed = _mlp.Apply(weights, name + ".mlp", Norm(weights, name + ".pre_feedforward_layernorm", y));
        return y.plus(Norm(weights, name + ".post_feedforward_layernorm", fed));
    });
}
