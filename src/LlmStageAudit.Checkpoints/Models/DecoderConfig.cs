namespace LlmStageAudit.Checkpoints.Models;

/// <summary>What Llama and the Gemmas have in common: a decoder of grouped-query attention and gated MLPs with RMS norms.</summary>
public abstract record DecoderConfig : TransformerConfig
{
    private const int LargestHeadSize = 1 << 16;

    private protected DecoderConfig(ModelConfig config, UnsupportedSettings unsupported, FamilyPresets presets)
        : base(config, presets)
    {
        KeyValueHeadCount = config.FindInt("num_key_value_heads", 1, LargestSize) ?? presets.KeyValueHeadCount ?? HeadCount;
        HeadSize = config.FindInt("head_dim", 1, LargestHeadSize) ?? presets.HeadSize ?? HiddenSize / HeadCount;
        RmsNormEpsilon = config.FindPositive("rms_norm_eps") ?? 1e-6;
        if (presets.HeadSize is null && !config.Has("head_dim") && HiddenSize % HeadCount != 0)
        {
            throw config.Fault(
                "num_attention_heads", $"{HeadCount} does not divide hidden_size {HiddenSize}", "a divisor, or head_dim");
        }

        if (HeadSize == 0 || HeadSize % 2 != 0) throw config.Fault("head_dim", $"is {HeadSize}", "an even number, two or more");
        if (HeadCount % KeyValueHeadCount != 0)
        {
            throw config.Fault(
                "num_key_value_heads", $"{KeyValueHeadCount} does not divide num_attention_heads {HeadCount}", "a divisor");
        }

        unsupported.AddForEveryFamily();
        unsupported.AddUnknownActivation(presets.ActivationKey, presets.Activation);
        var rope = config.FindSection("rope_parameters");
        var scaling = config.FindSection("rope_scaling");
        var (full, sliding) = (rope?.FindSection("full_attention"), rope?.FindSection("sliding_attention"));
        foreach (var section in (ReadOnlySpan<JsonSection?>)[config, scaling, rope, full, sliding])
        {
            if (section?.FindDouble("partial_rotary_factor") is { } share && share != 1)
                unsupported.Add(Invariant($"partial_rotary_factor {share} (the whole head is rotated)"));
        }
    }

    /// <summary>Heads of keys and values; each serves HeadCount / KeyValueHeadCount query heads in a row.</summary>
    public int KeyValueHeadCount { get; }

    /// <summary>Width of one head, even; HeadCount times it need not be the hidden size.</summary>
    public int HeadSize { get; }

    /// <summary>Added to the mean square under the root of every norm, above 0.</summary>
    public double RmsNormEpsilon { get; }

    /// <summary>The rotary settings of families with one set of them.</summary>
    private protected static RotaryConfig ReadRotary(ModelConfig config, UnsupportedSettings unsupported)
    {
        var (rope, scaling) = (config.FindSection("rope_parameters"), config.FindSection("rope_scaling"));
        return RotaryConfig.Read(
            unsupported,
            10_000,
            [(rope, "rope_theta"), (scaling, "rope_theta"), (config, "rope_theta")],
            [(rope, "rope_parameters"), (scaling, "rope_scaling")]);
    }
}
