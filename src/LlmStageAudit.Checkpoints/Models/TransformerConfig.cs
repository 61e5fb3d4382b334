namespace LlmStageAudit.Checkpoints.Models;

/// <summary>
/// What every family's config.json says of a model's arithmetic. Families add what is theirs; defaults for absent keys are those of
/// transformers' configuration classes.
/// </summary>
public abstract record TransformerConfig
{
    private protected const int LargestSize = 1 << 24;

    private protected TransformerConfig(ModelConfig config, FamilyPresets presets)
    {
        if (config.ModelType != presets.ModelType)
            throw config.Fault("model_type", $"found {MessageText.Quote(config.ModelType)}", $"'{presets.ModelType}'");
        HiddenSize = config.GetInt("hidden_size", 1, LargestSize);
        IntermediateSize = config.GetInt("intermediate_size", 1, LargestSize);
        LayerCount = config.GetInt("num_hidden_layers", 1, 10_000);
        HeadCount = config.FindInt("num_attention_heads", 1, LargestSize) ?? presets.HeadCount;
        VocabularySize = config.FindInt("vocab_size", 1, LargestSize) ?? presets.VocabularySize;
        MaxPositions = config.FindInt("max_position_embeddings", 1, LargestSize) ?? presets.MaxPositions;
        Activation = presets.Activation;
        AttentionBias = config.FindBool("attention_bias") ?? presets.AttentionBias;
        TieWordEmbeddings = config.FindBool("tie_word_embeddings") ?? presets.TieWordEmbeddings;
        // The first conversions of Llama have -1 for none.
        PadTokenId = config.Keys.Contains("pad_token_id")
            ? config.FindInt("pad_token_id") is not -1 and var given ? given : null
            : presets.PadTokenId;
        NumLabels = config.NumLabels;
        var dropout = string.Join(" and ", presets.DropoutKeys.Where(key => config.FindDouble(key) is not (null or 0))
            .Select(key => Invariant($"{key} {config.FindDouble(key)}")));
        Dropout = dropout.Length == 0 ? null : dropout;
        InitializerRange = config.FindDouble("initializer_range") ?? 0.02;
        if (!(InitializerRange >= 0))
            throw config.Fault("initializer_range", Invariant($"found {InitializerRange}"), "zero or a positive number");
        if (NumLabels is < 1) throw config.Fault("id2label", "is empty", "one entry per class");
        if (PadTokenId is { } pad && (pad < 0 || pad >= VocabularySize))
            throw config.Fault("pad_token_id", Invariant($"found {pad}"), $"null or a token below vocab_size {VocabularySize}");
    }

    /// <summary>Width of the residual stream: H.</summary>
    public int HiddenSize { get; }

    /// <summary>Width between the MLP's two projections.</summary>
    public int IntermediateSize { get; }

    /// <summary>Transformer blocks.</summary>
    public int LayerCount { get; }

    /// <summary>Heads of the queries.</summary>
    public int HeadCount { get; }

    /// <summary>Rows of the embedding, which may be more than the tokenizer has tokens: V.</summary>
    public int VocabularySize { get; }

    /// <summary>The longest sequence in tokens.</summary>
    public int MaxPositions { get; }

    /// <summary>Of the MLP: gelu is the exact one (erf); gelu_pytorch_tanh, gelu_new, gelu_fast the tanh form; relu; silu.</summary>
    public string Activation { get; }

    /// <summary>Whether the projections of attention carry a bias.</summary>
    public bool AttentionBias { get; }

    /// <summary>Whether the language-model head is the transposed embedding.</summary>
    public bool TieWordEmbeddings { get; }

    /// <summary>The padding token's id; null where there is none.</summary>
    public int? PadTokenId { get; }

    /// <summary>Classes of the classification head, null where the configuration names none.</summary>
    public int? NumLabels { get; }

    /// <summary>Standard deviation of weights that start at random.</summary>
    public double InitializerRange { get; }

    /// <summary>
    /// Settings of dropout that are not 0, with their values; null for none. They act in training alone, and are not supported there.
    /// </summary>
    public string? Dropout { get; }
}

/// <summary>What a family's configuration class says where config.json does not.</summary>
/// <param name="ModelType">The family.</param>
/// <param name="ActivationKey">The key the activation is read from.</param>
/// <param name="Activation">The activation that was read.</param>
/// <param name="HeadCount">Heads of the queries.</param>
/// <param name="VocabularySize">Rows of the embedding.</param>
/// <param name="MaxPositions">The longest sequence in tokens.</param>
/// <param name="KeyValueHeadCount">Heads of the keys; null for as many as of the queries.</param>
/// <param name="HeadSize">Width of a head; null for the hidden size divided by the heads.</param>
/// <param name="AttentionBias">Whether attention has biases.</param>
/// <param name="TieWordEmbeddings">Whether the head is tied.</param>
/// <param name="PadTokenId">The padding token.</param>
internal readonly record struct FamilyPresets(
    string ModelType, string ActivationKey, string Activation, int HeadCount, int VocabularySize, int MaxPositions,
    int? KeyValueHeadCount = null, int? HeadSize = null, bool AttentionBias = false, bool TieWordEmbeddings = false, int? PadTokenId = null)
{
    /// <summary>The keys of dropout that act in the family's model.</summary>
    public IReadOnlyList<string> DropoutKeys { get; init; } = ["attention_dropout"];

    /// <summary>The Gemma families' presets.</summary>
    public static FamilyPresets Gemma(
        string modelType, string activationKey, string activation, int heads, int keyHeads, int vocabulary, int positions) =>
        new(modelType, activationKey, activation, heads, vocabulary, positions, keyHeads, HeadSize: 256, TieWordEmbeddings: true,
            PadTokenId: 0);
}
