namespace LlmStageAudit.Checkpoints.Models;

/// <summary>How rotary frequencies are changed for contexts longer than those trained on first.</summary>
public enum RotaryScaling
{
    /// <summary>Frequencies are as the base gives them.</summary>
    None,

    /// <summary>All frequencies divided by the factor.</summary>
    Linear,

    /// <summary>Low frequencies divided by the factor, high ones kept, those between interpolated (Llama 3.1).</summary>
    Llama3,
}

/// <summary>The frequencies of a rotary position embedding.</summary>
/// <param name="Theta">The base, positive.</param>
public sealed record RotaryConfig(double Theta)
{
    /// <summary>What is done to frequencies for long contexts.</summary>
    public RotaryScaling Scaling { get; init; }

    /// <summary>What scaled frequencies are divided by; 1 without scaling.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>Llama3 only: turns over the original context below which a frequency counts as low.</summary>
    public double LowFrequencyFactor { get; init; }

    /// <summary>Llama3 only: turns over the original context above which a frequency counts as high.</summary>
    public double HighFrequencyFactor { get; init; }

    /// <summary>Llama3 only: the original context in tokens.</summary>
    public int OriginalMaxPositions { get; init; }
}
