namespace LlmStageAudit.Checkpoints.Models;

/// <summary>What fixes the arithmetic of a Gemma 1 model, read from either spelling of config.json.</summary>
public sealed record GemmaConfig : DecoderConfig
{
    private GemmaConfig(ModelConfig config, UnsupportedSettings unsupported)
        : base(config, unsupported, DecoderPresets.Gemma(
            "gemma", config.Has("hidden_activation") ? "hidden_activation" : "hidden_act", ActivationOf(config))) =>
        Rotary = ReadRotary(config, unsupported);

    /// <summary>The rotary position embedding.</summary>
    public RotaryConfig Rotary { get; }

    /// <summary>Reads the configuration, with transformers' defaults for absent keys.</summary>
    /// <exception cref="ModelFolderException">Another family, a wrong value, or settings that act but are not supported.</exception>
    public static GemmaConfig Read(ModelConfig config)
    {
        var unsupported = new UnsupportedSettings(config);
        var read = new GemmaConfig(config, unsupported);
        unsupported.ThrowIfAny();
        return read;
    }

    /// <summary>
    /// hidden_activation, or else hidden_act; but "gelu" under the latter is the tanh form: the first files were published with
    /// it by mistake, for models trained with the tanh form (transformers pull request 29402), and their descendants copied it.
    /// </summary>
    private static string ActivationOf(ModelConfig config) =>
        config.FindString("hidden_activation")
        ?? (config.FindString("hidden_act") is { } named and not "gelu" ? named : "gelu_pytorch_tanh");
}
