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

    private static readonly string[] KnownActivations = ["gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "relu", "silu"];

    public required int HiddenSize { get; init; }

    public required int IntermediateSize { get; init; }

    public required int LayerCount { get; init; }

    public required int HeadCount { get; init; }

    public required int VocabularySize { get; init; }

    public required int MaxPositions { get; init; }

    /// <summary>Part of each head that is rotated.</summary>
    public required double RotaryFraction { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public required double RotaryTheta { get; init; }

    public required double LayerNormEpsilon { get; init; }

    /// <summary>Whether attention and MLP both read the block's input, rather than one after the other.</summary>
    public required bool UseParallelResidual { get; init; }

    /// <summary>hidden_act: gelu is the exact one (erf); gelu_new, gelu_fast and gelu_pytorch_tanh are the tanh form; relu; silu.</summary>
    public required string Activation { get; init; }

    /// <summary>Whether query_key_value and dense carry a bias.</summary>
    public required bool AttentionBias { get; init; }

    /// <summary>Whether the language-model head is the transposed embedding.</summary>
    public required bool TieWordEmbeddings { get; init; }

    public required int? PadTokenId { get; init; }

    /// <summary>Classes of the classification head, null where the configuration names none.</summary>
    public required int? NumLabels { get; init; }

    /// <summary>Standard deviation of weights that start at random.</summary>
    public required double InitializerRange { get; init; }

    /// <summary>Width of one head.</summary>
    public int HeadSize => HiddenSize / HeadCount;

    /// <summary>Leading dimensions of each head that are rotated: the head size times the fraction, rounded down.</summary>
    public int RotaryDimensions => (int)(HeadSize * RotaryFraction);

    /// <exception cref="ModelFolderException">Another family, a wrong value, or settings that act but are not supported.</exception>
    public static GptNeoXConfig Read(ModelConfig config)
    {
        if (config.ModelType != "gpt_neox") throw config.Fault("model_type", $"found {MessageText.Quote(config.ModelType)}", "'gpt_neox'");
        var rope = config.FindSection("rope_parameters");
        var read = new GptNeoXConfig
        {
            HiddenSize = config.GetInt("hidden_size", 1, LargestSize),
            IntermediateSize = config.GetInt("intermediate_size", 1, LargestSize),
            LayerCount = config.GetInt("num_hidden_layers", 1, 10_000),
            HeadCount = config.GetInt("num_attention_heads", 1, LargestSize),
            VocabularySize = config.GetInt("vocab_size", 1, LargestSize),
            MaxPositions = config.GetInt("max_position_embeddings", 1, LargestSize),
            RotaryFraction = Agreed(config, rope, 0.25, "partial_rotary_factor", "rotary_pct"),
            RotaryTheta = Agreed(config, rope, 10_000, "rope_theta", "rotary_emb_base"),
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
        RefuseUnsupported(config, read.Activation);
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

        if (!(RotaryTheta > 0)) throw config.Fault("rotary_emb_base", Invariant($"found {RotaryTheta}"), "a positive number");
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

    /// <summary>The value under whichever spellings are there; two that disagree are an error, not a choice.</summary>
    private static double Agreed(ModelConfig config, ModelConfig? rope, double preset, string newKey, string oldKey)
    {
        double? agreed = null;
        foreach (var (section, key) in (ReadOnlySpan<(ModelConfig?, string)>)[(rope, newKey), (config, newKey), (config, oldKey)])
        {
            if (section?.FindDouble(key) is not { } value) continue;
            if (agreed is { } other && other != value)
            {
                throw config.Fault(key, Invariant($"found {value} here and {other} under another spelling"), "one value");
            }

            agreed = value;
        }

        return agreed ?? preset;
    }

    private static void RefuseUnsupported(ModelConfig config, string activation)
    {
        var found = new List<string>();
        foreach (var key in (ReadOnlySpan<string>)["rope_parameters", "rope_scaling"])
        {
            if (config.FindSection(key) is not { } section) continue;
            var kind = section.FindString("rope_type") ?? section.FindString("type");
            if (kind is not (null or "default")) found.Add($"{key} of type {MessageText.Quote(kind)} (only default)");
            else if (section.Has("factor") && section.GetDouble("factor") != 1) found.Add($"{key}.factor without a type");
        }

        if (!KnownActivations.Contains(activation))
        {
            found.Add($"hidden_act {MessageText.Quote(activation)} (known: {string.Join(", ", KnownActivations)})");
        }

        foreach (var key in (ReadOnlySpan<string>)["hidden_dropout", "attention_dropout"])
        {
            if (config.FindDouble(key) is { } rate && rate != 0) found.Add(Invariant($"{key} {rate} (acts in training; set it to 0)"));
        }

        if (config.Has("quantization_config")) found.Add("quantization_config (load the unquantized weights)");
        if (found.Count > 0) throw ModelFolderException.Unsupported(config.Path, found);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
