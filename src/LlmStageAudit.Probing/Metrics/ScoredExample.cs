namespace LlmStageAudit.Probing.Metrics;

/// <summary>What group metrics need of an example.</summary>
/// <param name="Score">Higher means more positive; positive above 0 is the decision.</param>
/// <param name="Positive">The label.</param>
public readonly record struct ScoredExample(double Score, bool Positive)
{
    public bool Flagged => Score > 0;

    public bool Correct => Flagged == Positive;
}
