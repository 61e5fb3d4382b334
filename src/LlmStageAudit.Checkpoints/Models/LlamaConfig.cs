namespace LlmStageAudit.Checkpoints.Models;

/// <summary>What fixes the arithmetic of a Llama model, read from either spelling of config.json.</summary>
public sealed record LlamaConfig : DecoderConfig
{
    private LlamaConfig(ModelConfig config, UnsupportedSettings unsupported)
        : base(config, unsupported, new FamilyPresets(
            "llama", "hidden_act", config.FindString("hidden_act") ?? "silu", HeadCount: 32, VocabularySize: 32_000, MaxPositions: 2048))
    {
        MlpBias = config.FindBool("mlp_bias") ?? false;
        Rotary = ReadRotary(config, unsupported);
    }

    /// <summary>Whether gate_proj, up_proj and down_proj carry a bias.</summary>
    public bool MlpBias { get; }

    /// <summary>The rotary position embedding.</summary>
    public RotaryConfig Rotary { get; }

    /// <summary>Reads the configuration, with transformers' defaults for absent keys.</summary>
    /// <exception cref="CheckpointException">Another family, a wrong value, or settings that act but are not supported.</exception>
    public static LlamaConfig Read(ModelConfig config) =>
        UnsupportedSettings.Refuse(config, unsupported => new LlamaConfig(config, unsupported));
}
