using LlmStageAudit.Checkpoints.Models;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// Where the families of <see cref="GatedDecoder"/> differ: Llama (Touvron et al. 2023; Grattafiori et al. 2024), Gemma 1 and 2 (Gemma
/// Team 2024), and Gemma 3, text (Gemma Team 2025).
/// </summary>
/// <param name="Name">What its classes are named after.</param>
/// <param name="Rotary">Of the layers that see everything before.</param>
/// <param name="ScoreDivisor">Scores are divided by its square root.</param>
/// <param name="ClassifierName">What its classifier is named after, where that differs.</param>
/// <param name="IsGemma">Whether embeddings are scaled by sqrt(H), and the gain of norms is 1 + w rather than w.</param>
/// <param name="NormsBranches">Whether what attention and MLP give is normalised too, before it is added.</param>
/// <param name="NormsHeads">Whether queries and keys are normalised per head before they are rotated.</param>
/// <param name="MlpBias">Whether the MLP's layers carry a bias.</param>
/// <param name="AttentionSoftCap">Bound of the scaled scores; null for none.</param>
/// <param name="FinalSoftCap">Bound of the language model's logits; null for none.</param>
/// <param name="Sliding">The layers that attend to a window of so many tokens; null for none.</param>
/// <param name="SlidingRotary">Of these layers; null for that of the others.</param>
internal sealed record GatedFamily(
    string Name,
    RotaryConfig Rotary,
    double ScoreDivisor,
    string? ClassifierName = null,
    bool IsGemma = true,
    bool NormsBranches = false,
    bool NormsHeads = false,
    bool MlpBias = false,
    double? AttentionSoftCap = null,
    double? FinalSoftCap = null,
    (SlidingLayers Layers, int Window)? Sliding = null,
    RotaryConfig? SlidingRotary = null)
{
    public static GatedFamily Of(DecoderConfig config) => config switch
    {
        LlamaConfig c => new("Llama", c.Rotary, c.HeadSize, IsGemma: false, MlpBias: c.MlpBias),
        GemmaConfig c => new("Gemma", c.Rotary, c.HeadSize),
        Gemma2Config c => new(
            "Gemma2", c.Rotary, c.QueryPreAttentionScalar, NormsBranches: true, AttentionSoftCap: c.AttentionSoftCap,
            FinalSoftCap: c.FinalSoftCap, Sliding: (c.Sliding, c.SlidingWindow)),
        Gemma3Config c => new(
            "Gemma3", c.GlobalRotary, c.QueryPreAttentionScalar, "Gemma3Text", NormsBranches: true, NormsHeads: true,
            FinalSoftCap: c.FinalSoftCap, Sliding: (c.Sliding, c.SlidingWindow), SlidingRotary: c.LocalRotary),
        _ => throw new ArgumentException($"no family for {config.GetType().Name}", nameof(config)),
    };
}
