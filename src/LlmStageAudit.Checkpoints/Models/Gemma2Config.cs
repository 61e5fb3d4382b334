namespace LlmStageAudit.Checkpoints.Models;

/// <summary>What fixes the arithmetic of a Gemma 2 model, read from either spelling of config.json.</summary>
public sealed record Gemma2Config : DecoderConfig
{
    private Gemma2Config(ModelConfig config, UnsupportedSettings unsupported)
        : base(config, unsupported, DecoderPresets.Gemma(
            "gemma2", "hidden_activation", config.FindString("hidden_activation") ?? "gelu_pytorch_tanh"))
    {
        Rotary = ReadRotary(config, unsupported);
        QueryPreAttentionScalar = FindPositive(config, "query_pre_attn_scalar", null) ?? 256;
        SlidingWindow = config.FindInt("sliding_window", 1) ?? 4096;
        Sliding = SlidingLayers.Read(config, LayerCount, pattern: 2, unsupported);
        AttentionSoftCap = FindPositive(config, "attn_logit_softcapping", 50);
        FinalSoftCap = FindPositive(config, "final_logit_softcapping", 30);
    }

    /// <summary>The rotary position embedding.</summary>
    public RotaryConfig Rotary { get; }

    /// <summary>Attention scores are divided by its square root.</summary>
    public double QueryPreAttentionScalar { get; }

    /// <summary>Tokens a sliding layer sees, the current one included.</summary>
    public int SlidingWindow { get; }

    /// <summary>Every other layer, from the first on, unless layer_types says otherwise.</summary>
    public SlidingLayers Sliding { get; }

    /// <summary>Bound of the attention scores; null for none.</summary>
    public double? AttentionSoftCap { get; }

    /// <summary>Bound of the language model's logits; null for none.</summary>
    public double? FinalSoftCap { get; }

    /// <summary>Reads the configuration, with transformers' defaults for absent keys.</summary>
    /// <exception cref="ModelFolderException">Another family, a wrong value, or settings that act but are not supported.</exception>
    public static Gemma2Config Read(ModelConfig config)
    {
        var unsupported = new UnsupportedSettings(config);
        var read = new Gemma2Config(config, unsupported);
        unsupported.ThrowIfAny();
        return read;
    }
}
