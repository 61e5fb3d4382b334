using LlmStageAudit.Checkpoints.Models;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// Where the families of <see cref="GatedDecoder"/> differ: Llama (Touvron et al. 2023; Grattafiori et al. 2024), Gemma 1 and 2 (Gemma
/// Team 2024), and Gemma 3, text (Gemma Team 2025).
/// </summary>
internal sealed record GatedFamily
{
    /// <summary>What its classes are named after.</summary>
    public required string Name { get; init; }

    /// <summary>The same of its classifier, where that differs.</summary>
    public string? ClassifierName { get; init; }

    /// <summary>The Gemmas: embeddings are scaled by sqrt(H), and the gain of norms is 1 + w rather than w.</summary>
    public bool IsGemma { get; init; } = true;

    /// <summary>Whether what attention and MLP give is normalised too, before it is added.</summary>
    public bool NormsBranches { get; init; }

    /// <summary>Whether queries and keys are normalised per head before they are rotated.</summary>
    public bool NormsHeads { get; init; }

    /// <summary>Whether the MLP's layers carry a bias.</summary>
    public bool MlpBias { get; init; }

    /// <summary>Scores are divided by its square root.</summary>
    public required double ScoreDivisor { get; init; }

    /// <summary>Bound of the scaled scores; null for none.</summary>
    public double? AttentionSoftCap { get; init; }

    /// <summary>Bound of the language model's logits; null for none.</summary>
    public double? FinalSoftCap { get; init; }

    /// <summary>Of the layers that see everything before.</summary>
    public required RotaryConfig Rotary { get; init; }

    /// <summary>Of the sliding layers; null for the same.</summary>
    public RotaryConfig? SlidingRotary { get; init; }

    /// <summary>The layers that attend to a window of so many tokens; null for none.</summary>
    public (SlidingLayers Layers, int Window)? Sliding { get; init; }

    public static GatedFamily Of(DecoderConfig config) => config switch
    {
        LlamaConfig llama => new()
        {
            Name = "Llama",
            IsGemma = false,
            MlpBias = llama.MlpBias,
            ScoreDivisor = llama.HeadSize,
            Rotary = llama.Rotary,
        },
        GemmaConfig gemma => new() { Name = "Gemma", ScoreDivisor = gemma.HeadSize, Rotary = gemma.Rotary },
        Gemma2Config gemma => new()
        {
            Name = "Gemma2",
            NormsBranches = true,
            ScoreDivisor = gemma.QueryPreAttentionScalar,
            AttentionSoftCap = gemma.AttentionSoftCap,
            FinalSoftCap = gemma.FinalSoftCap,
            Rotary = gemma.Rotary,
            Sliding = (gemma.Sliding, gemma.SlidingWindow),
        },
        Gemma3Config gemma => new()
        {
            Name = "Gemma3",
            ClassifierName = "Gemma3Text",
            NormsBranches = true,
            NormsHeads = true,
            ScoreDivisor = gemma.QueryPreAttentionScalar,
            FinalSoftCap = gemma.FinalSoftCap,
            Rotary = gemma.GlobalRotary,
            SlidingRotary = gemma.LocalRotary,
            Sliding = (gemma.Sliding, gemma.SlidingWindow),
        },
        _ => throw new ArgumentException($"no family for {config.GetType().Name}", nameof(config)),
    };
}
