namespace LlmStageAudit.Checkpoints.Models;

/// <summary>
/// What fixes the arithmetic of a GPT-NeoX model (Pythia), read from either spelling of config.json: rotary_pct, rotary_emb_base
/// (transformers 4, the hub's files) or rope_parameters (transformers 5). Each head has its own keys and values.
/// </summary>
public sealed record GptNeoXConfig : TransformerConfig
{
    private GptNeoXConfig(ModelConfig config, UnsupportedSettings unsupported)
        : base(config, new FamilyPresets("gpt_neox", "hidden_act", config.FindString("hidden_act") ?? "gelu", AttentionBias: true))
    {
        var rope = config.FindSection("rope_parameters");
        RotaryFraction = RotaryConfig.Agreed(
            0.25, (rope, "partial_rotary_factor"), (config, "partial_rotary_factor"), (config, "rotary_pct"));
        Rotary = RotaryConfig.Read(
            unsupported,
            10_000,
            [(rope, "rope_theta"), (config, "rope_theta"), (config, "rotary_emb_base")],
            [(rope, "rope_parameters"), (config.FindSection("rope_scaling"), "rope_scaling")]);
        LayerNormEpsilon = config.FindPositive("layer_norm_eps") ?? 1e-5;
        UseParallelResidual = config.FindBool("use_parallel_residual") ?? true;
        if (HiddenSize % HeadCount != 0)
            throw config.Fault("num_attention_heads", $"{HeadCount} does not divide hidden_size {HiddenSize}", "a divisor");
        if (!(RotaryFraction > 0 && RotaryFraction <= 1))
            throw config.Fault("rotary_pct", Invariant($"found {RotaryFraction}"), "a fraction in (0, 1]");
        if (RotaryDimensions == 0 || RotaryDimensions % 2 != 0)
        {
            throw config.Fault("rotary_pct", Invariant($"{RotaryFraction} of head size {HeadSize} rotates {RotaryDimensions} dimensions"),
                "an even number of them, two or more");
        }

        unsupported.AddForEveryFamily();
        unsupported.AddDropout("hidden_dropout", "attention_dropout");
        unsupported.AddUnknownActivation("hidden_act", Activation);
    }

    /// <summary>Part of each head that is rotated.</summary>
    public double RotaryFraction { get; }

    /// <summary>The rotary position embedding.</summary>
    public RotaryConfig Rotary { get; }

    /// <summary>Added to the variance under the root of every norm, above 0.</summary>
    public double LayerNormEpsilon { get; }

    /// <summary>Whether attention and MLP both read the block's input, rather than one after the other.</summary>
    public bool UseParallelResidual { get; }

    /// <summary>Width of one head.</summary>
    public int HeadSize => HiddenSize / HeadCount;

    /// <summary>Leading dimensions of each head that are rotated: the head size times the fraction, rounded down.</summary>
    public int RotaryDimensions => (int)(HeadSize * RotaryFraction);

    /// <summary>Reads the configuration, with transformers' defaults for absent keys.</summary>
    /// <exception cref="CheckpointException">Another family, a wrong value, or settings that act but are not supported.</exception>
    public static GptNeoXConfig Read(ModelConfig config) =>
        UnsupportedSettings.Refuse(config, unsupported => new GptNeoXConfig(config, unsupported));
}
