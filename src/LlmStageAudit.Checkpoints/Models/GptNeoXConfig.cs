using System.Globalization;
using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>
/// What fixes the arithmetic of a GPT-NeoX model (Pythia), read from either spelling of config.json: rotary_pct, rotary_emb_base
/// (transformers 4, the hub's files) or rope_parameters (transformers 5). Defaults are those of transformers' GPTNeoXConfig.
/// </summary>
public sealed record GptNeoXConfig
{
    private const int LargestSize = 1 << 24;

    /// <summary>Width of the residual stream: H.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width between the MLP's two projections.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Transformer blocks.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Attention heads, each with its own keys and values; divides the hidden size.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Rows of the embedding, which may be more than the tokenizer has tokens: V.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>The longest sequence in tokens.</summary>
    public required int MaxPositions { get; init; }

    /// <summary>Part of each head that is rotated.</summary>
    public required double RotaryFraction { get; init; }

    /// <summary>The rotary position embedding.</summary>
    public required RotaryConfig Rotary { get; init; }

    /// <summary>Added to the variance under the root of every norm, above 0.</summary>
    public required double LayerNormEpsilon { get; init; }

    /// <summary>Whether attention and MLP both read the block's input, rather than one after the other.</summary>
    public required bool UseParallelResidual { get; init; }

    /// <summary>hidden_act: gelu is the exact one (erf); gelu_new, gelu_fast and gelu_pytorch_tanh are the tanh form; relu; silu.</summary>
    public required string Activation { get; init; }

    /// <summary>Whether query_key_value and dense carry a bias.</summary>
    public required bool AttentionBias { get; init; }

    /// <summary>Whether the language-model head is the transposed embedding.</summary>
    public required bool TieWordEmbeddings { get; init; }

    /// <summary>The padding token's id; null where there is none.</summary>
    public required int? PadTokenId { get; init; }

    /// <summary>Classes of the classification head, null where the configuration names none.</summary>
    public required int? NumLabels { get; init; }

    /// <summary>Standard deviation of weights that start at random.</summary>
    public required double InitializerRange { get; init; }

    /// <summary>Width of one head.</summary>
    public int HeadSize => HiddenSize / HeadCount;

    /// <summary>Leading dimensions of each head that are rotated: the head size times the fraction, rounded down.</summary>
    public int RotaryDimensions => (int)(HeadSize * RotaryFraction);

    /// <summary>Reads the configuration, with transformers' defaults for absent keys.</summary>
    /// <exception cref="ModelFolderException">Another family, a wrong value, or settings that act but are not supported.</exception>
    public static GptNeoXConfig Read(ModelConfig config)
    {
        if (config.ModelType != "gpt_neox") throw config.Fault("model_type", $"found {MessageText.Quote(config.ModelType)}", "'gpt_neox'");
        var rope = config.FindSection("rope_parameters");
        var unsupported = new UnsupportedSettings(config);
        var read = new GptNeoXConfig
        {
            HiddenSize = config.GetInt("hidden_size", 1, LargestSize),
            IntermediateSize = config.GetInt("intermediate_size", 1, LargestSize),
            LayerCount = config.GetInt("num_hidden_layers", 1, 10_000),
            HeadCount = config.GetInt("num_attention_heads", 1, LargestSize),
            VocabularySize = config.GetInt("vocab_size", 1, LargestSize),
            MaxPositions = config.GetInt("max_position_embeddings", 1, LargestSize),
            RotaryFraction = RotaryConfigReader.Agreed(
                0.25, (rope, "partial_rotary_factor"), (config, "partial_rotary_factor"), (config, "rotary_pct")),
            Rotary = RotaryConfigReader.Read(
                unsupported,
                10_000,
                [(rope, "rope_theta"), (config, "rope_theta"), (config, "rotary_emb_base")],
                [(rope, "rope_parameters"), (config.FindSection("rope_scaling"), "rope_scaling")]),
            LayerNormEpsilon = config.FindDouble("layer_norm_eps") ?? 1e-5,
            UseParallelResidual = config.FindBool("use_parallel_residual") ?? true,
            Activation = config.FindString("hidden_act") ?? "gelu",
            AttentionBias = config.FindBool("attention_bias") ?? true,
            TieWordEmbeddings = config.FindBool("tie_word_embeddings") ?? false,
            PadTokenId = config.PadTokenId,
            NumLabels = config.NumLabels,
            InitializerRange = config.FindDouble("initializer_range") ?? 0.02,
        };
        read.Validate(config);
        unsupported.AddForEveryFamily();
        unsupported.AddDropout("hidden_dropout", "attention_dropout");
        unsupported.AddUnknownActivation("hidden_act", read.Activation);
        unsupported.ThrowIfAny();
        return read;
    }

    private void Validate(ModelConfig config)
    {
        if (HiddenSize % HeadCount != 0)
        {
            throw config.Fault("num_attention_heads", Invariant($"{HeadCount} does not divide hidden_size {HiddenSize}"), "a divisor");
        }

        if (!(RotaryFraction > 0 && RotaryFraction <= 1))
        {
            throw config.Fault("rotary_pct", Invariant($"found {RotaryFraction}"), "a fraction in (0, 1]");
        }

        if (RotaryDimensions == 0 || RotaryDimensions % 2 != 0)
        {
            throw config.Fault("rotary_pct", Invariant($"{RotaryFraction} of head size {HeadSize} rotates {RotaryDimensions} dimensions"),
                "an even number of them, two or more");
        }

        if (!(LayerNormEpsilon > 0)) throw config.Fault("layer_norm_eps", Invariant($"found {LayerNormEpsilon}"), "a positive number");
        if (!(InitializerRange >= 0))
        {
            throw config.Fault("initializer_range", Invariant($"found {InitializerRange}"), "zero or a positive number");
        }

        if (NumLabels is < 1) throw config.Fault("id2label", "is empty", "one entry per class");
        if (PadTokenId is { } pad && (pad < 0 || pad >= VocabularySize))
        {
            throw config.Fault("pad_token_id", Invariant($"found {pad}"), Invariant($"null or a token below vocab_size {VocabularySize}"));
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
