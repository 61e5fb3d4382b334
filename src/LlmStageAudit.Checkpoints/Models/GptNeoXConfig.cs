namespace LlmStageAudit.Checkpoints.Models;

/// <summary>
/// What fixes the arithmetic of a GPT-NeoX model (Pythia), read from either spelling of config.json: rotary_pct, rotary_emb_base
/// (transformers 4, the hub's files) or rope_parameters (transformers 5). Each head has its own keys and values.
/// </summary>
public sealed record GptNeoXConfig : TransformerConfig
{
    private const string ThetaKey = "rope_theta";
    private const string PartialKey = "partial_rotary_factor";
    private const double DefaultTheta = 10_000;
    private const double DefaultFraction = 0.25;

    private GptNeoXConfig(ModelConfig config, UnsupportedSettings unsupported)
        : base(config, new FamilyPresets(
            "gpt_neox", "hidden_act", config.FindString("hidden_act") ?? "gelu", HeadCount: 64, VocabularySize: 50_432, MaxPositions: 2048,
            AttentionBias: true)
        { DropoutKeys = ["hidden_dropout", "attention_dropout"] })
    {
        var (rope, scaling) = (config.FindSection("rope_parameters"), config.FindSection("rope_scaling"));
        RotaryFraction = RotaryConfig.Agreed(
            DefaultFraction, (rope, PartialKey), (scaling, PartialKey), (config, PartialKey), (config, "rotary_pct"));
        Rotary = RotaryConfig.Read(
            unsupported,
            DefaultTheta,
            [(rope, ThetaKey), (scaling, ThetaKey), (config, ThetaKey), (config, "rotary_emb_base")],
            [(rope, "rope_parameters"), (scaling, "rope_scaling")]);
        AddReadByOneVersion(ThetaKey, "rotary_emb_base", Rotary.Theta != DefaultTheta);
        AddReadByOneVersion(PartialKey, "rotary_pct", RotaryFraction != DefaultFraction);
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
        unsupported.AddUnknownActivation("hidden_act", Activation);

        // At the top level transformers 4 takes the general name over the family's own, and transformers 5 does not know it.
        void AddReadByOneVersion(string key, string own, bool acts)
        {
            if (acts && config.Has(key) && !config.Has(own) && rope?.Has(key) != true && scaling?.Has(key) != true)
                unsupported.Add($"{key} without {own} (transformers 4 and 5 read it differently; name it {own})");
        }
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
