using System.Globalization;
using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>
/// What Llama and the Gemmas have in common: a decoder of grouped-query attention and gated MLPs with RMS norms. Families add
/// what is theirs; defaults for absent keys are those of transformers' configuration classes.
/// </summary>
public abstract record DecoderConfig
{
    private const int LargestSize = 1 << 24;
    private const int LargestHeadSize = 1 << 16;

    private protected DecoderConfig(ModelConfig config, UnsupportedSettings unsupported, DecoderPresets presets)
    {
        if (config.ModelType != presets.ModelType)
            throw config.Fault("model_type", $"found {MessageText.Quote(config.ModelType)}", $"'{presets.ModelType}'");
        HiddenSize = config.GetInt("hidden_size", 1, LargestSize);
        IntermediateSize = config.GetInt("intermediate_size", 1, LargestSize);
        LayerCount = config.GetInt("num_hidden_layers", 1, 10_000);
        HeadCount = config.GetInt("num_attention_heads", 1, LargestSize);
        KeyValueHeadCount = presets.OneKeyPerHead
            ? config.FindInt("num_key_value_heads", 1, LargestSize) ?? HeadCount
            : config.GetInt("num_key_value_heads", 1, LargestSize);
        HeadSize = config.FindInt("head_dim", 1, LargestHeadSize) ?? presets.HeadSize ?? HiddenSize / HeadCount;
        VocabularySize = config.GetInt("vocab_size", 1, LargestSize);
        MaxPositions = config.GetInt("max_position_embeddings", 1, LargestSize);
        RmsNormEpsilon = config.FindDouble("rms_norm_eps") ?? 1e-6;
        Activation = presets.Activation;
        AttentionBias = config.FindBool("attention_bias") ?? false;
        TieWordEmbeddings = config.FindBool("tie_word_embeddings") ?? presets.TieWordEmbeddings;
        PadTokenId = config.Keys.Contains("pad_token_id") ? config.PadTokenId : presets.PadTokenId;
        NumLabels = config.NumLabels;
        InitializerRange = config.FindDouble("initializer_range") ?? 0.02;
        if (presets.HeadSize is null && !config.Has("head_dim") && HiddenSize % HeadCount != 0)
        {
            throw config.Fault(
                "num_attention_heads", Invariant($"{HeadCount} does not divide hidden_size {HiddenSize}"), "a divisor, or head_dim");
        }

        Validate(config);
        unsupported.AddForEveryFamily();
        unsupported.AddDropout("attention_dropout");
        unsupported.AddUnknownActivation(presets.ActivationKey, presets.Activation);
        RefusePartialRotation(config, unsupported);
    }

    /// <summary>Width of the residual stream: H.</summary>
    public int HiddenSize { get; }

    /// <summary>Width between the MLP's two projections.</summary>
    public int IntermediateSize { get; }

    /// <summary>Transformer blocks.</summary>
    public int LayerCount { get; }

    /// <summary>Heads of the queries.</summary>
    public int HeadCount { get; }

    /// <summary>Heads of keys and values; each serves HeadCount / KeyValueHeadCount query heads in a row.</summary>
    public int KeyValueHeadCount { get; }

    /// <summary>Width of one head, even; HeadCount times it need not be the hidden size.</summary>
    public int HeadSize { get; }

    /// <summary>Rows of the embedding, which may be more than the tokenizer has tokens: V.</summary>
    public int VocabularySize { get; }

    /// <summary>The longest sequence in tokens.</summary>
    public int MaxPositions { get; }

    /// <summary>Added to the mean square under the root of every norm, above 0.</summary>
    public double RmsNormEpsilon { get; }

    /// <summary>Of the MLP's gate: gelu is the exact one (erf); gelu_pytorch_tanh, gelu_new, gelu_fast the tanh form; relu; silu.</summary>
    public string Activation { get; }

    /// <summary>Whether q_proj, k_proj, v_proj and o_proj carry a bias.</summary>
    public bool AttentionBias { get; }

    /// <summary>Whether the language-model head is the transposed embedding.</summary>
    public bool TieWordEmbeddings { get; }

    /// <summary>The padding token's id; null where there is none.</summary>
    public int? PadTokenId { get; }

    /// <summary>Classes of the classification head, null where the configuration names none.</summary>
    public int? NumLabels { get; }

    /// <summary>Standard deviation of weights that start at random.</summary>
    public double InitializerRange { get; }

    /// <summary>The rotary settings of families with one set of them.</summary>
    private protected static RotaryConfig ReadRotary(ModelConfig config, UnsupportedSettings unsupported)
    {
        var rope = config.FindSection("rope_parameters");
        return RotaryConfigReader.Read(
            unsupported,
            10_000,
            [(rope, "rope_theta"), (config, "rope_theta")],
            [(rope, "rope_parameters"), (config.FindSection("rope_scaling"), "rope_scaling")]);
    }

    /// <summary>A positive number; the preset where the key is absent, null where it is there as null.</summary>
    private protected static double? FindPositive(ModelConfig config, string key, double? preset)
    {
        if (!config.Keys.Contains(key)) return preset;
        return config.FindDouble(key) is not { } value || value > 0 ? config.FindDouble(key) : throw NotPositive(config, key, value);
    }

    private static ModelFolderException NotPositive(ModelConfig config, string key, double value) =>
        config.Fault(key, Invariant($"found {value}"), "a positive number");

    private void Validate(ModelConfig config)
    {
        if (HeadSize == 0 || HeadSize % 2 != 0)
            throw config.Fault("head_dim", Invariant($"is {HeadSize}"), "an even number, two or more");
        if (HeadCount % KeyValueHeadCount != 0)
        {
            throw config.Fault(
                "num_key_value_heads", Invariant($"{KeyValueHeadCount} does not divide num_attention_heads {HeadCount}"), "a divisor");
        }

        if (!(RmsNormEpsilon > 0)) throw NotPositive(config, "rms_norm_eps", RmsNormEpsilon);
        if (!(InitializerRange >= 0))
            throw config.Fault("initializer_range", Invariant($"found {InitializerRange}"), "zero or a positive number");
        if (NumLabels is < 1) throw config.Fault("id2label", "is empty", "one entry per class");
        if (PadTokenId is { } pad && (pad < 0 || pad >= VocabularySize))
            throw config.Fault("pad_token_id", Invariant($"found {pad}"), Invariant($"null or a token below vocab_size {VocabularySize}"));
    }

    private static void RefusePartialRotation(ModelConfig config, UnsupportedSettings unsupported)
    {
        var rope = config.FindSection("rope_parameters");
        foreach (var section in (ReadOnlySpan<ModelConfig?>)
            [config, config.FindSection("rope_scaling"), rope, rope?.FindSection("full_attention"), rope?.FindSection("sliding_attention")])
        {
            if (section?.FindDouble("partial_rotary_factor") is { } share && share != 1)
                unsupported.Add(Invariant($"partial_rotary_factor {share} (the whole head is rotated)"));
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What a family's configuration class says where config.json does not.</summary>
/// <param name="ModelType">The family.</param>
/// <param name="ActivationKey">The key the activation is read from.</param>
/// <param name="Activation">The activation that was read.</param>
/// <param name="HeadSize">Width of a head; null for the hidden size divided by the heads.</param>
/// <param name="OneKeyPerHead">Whether key heads that are not mentioned are as many as query heads, rather than demanded.</param>
/// <param name="TieWordEmbeddings">Whether the head is tied.</param>
/// <param name="PadTokenId">The padding token.</param>
internal readonly record struct DecoderPresets(
    string ModelType, string ActivationKey, string Activation, int? HeadSize, bool OneKeyPerHead, bool TieWordEmbeddings, int? PadTokenId)
{
    /// <summary>The Gemma families' presets.</summary>
    public static DecoderPresets Gemma(string modelType, string activationKey, string activation) =>
        new(modelType, activationKey, activation, 256, OneKeyPerHead: false, TieWordEmbeddings: true, PadTokenId: 0);
}
