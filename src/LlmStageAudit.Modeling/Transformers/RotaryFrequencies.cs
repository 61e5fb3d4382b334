using LlmStageAudit.Checkpoints.Models;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// The frequencies of a rotary embedding, in radians per token:
/// <code>
/// none    w_i = theta^(-2i / R),  i = 0 .. R/2 - 1
/// linear  w_i / factor
/// llama3  w_i where w_i turns more than high times over the original context C, w_i / factor where it turns less than low
///         times, and between, with s = (turns - low) / (high - low) and turns = C w_i / 2 pi:  s w_i + (1 - s) w_i / factor
/// </code>
/// Sources: Su et al. 2021; Chen et al. 2023 (linear); Llama 3.1 and transformers' modeling_rope_utils (llama3).
/// </summary>
internal static class RotaryFrequencies
{
    /// <summary>The angle per position of each pair of features, in radians.</summary>
    /// <param name="config">Base and scaling.</param>
    /// <param name="dimensions">R, the rotated dimensions of a head: even.</param>
    /// <returns>R / 2 frequencies.</returns>
    public static double[] Of(RotaryConfig config, int dimensions) =>
        [.. Enumerable.Range(0, dimensions / 2).Select(i => Scaled(config, 1 / Math.Pow(config.Theta, 2.0 * i / dimensions)))];

    private static double Scaled(RotaryConfig config, double frequency)
    {
        if (config.Scaling == RotaryScaling.Linear) return frequency / config.Factor;
        if (config.Scaling == RotaryScaling.None) return frequency;
        var turns = config.OriginalMaxPositions * frequency / (2 * Math.PI);
        var kept = (turns - config.LowFrequencyFactor) / (config.HighFrequencyFactor - config.LowFrequencyFactor);
        kept = Math.Clamp(kept, 0, 1);
        return (kept * frequency) + ((1 - kept) * frequency / config.Factor);
    }
}
