namespace LlmStageAudit.Records.Configuration;

/// <summary>What is logged at every step.</summary>
public sealed record TrajectorySection
{
    /// <summary>False leaves the raw gradients out: smaller logs, but only gradient sources that compute their own remain.</summary>
    public bool Gradients { get; init; } = true;
}
