namespace LlmStageAudit.Attribution.Trust;

/// <summary>What spot checks found, per question.</summary>
public interface ISpotCheck : IDisposable
{
    /// <summary>Their cost in full-batch gradients.</summary>
    double GradientEquivalents { get; }

    DriftTally Of(int question);
}
