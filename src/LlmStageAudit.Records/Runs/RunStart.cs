namespace LlmStageAudit.Records.Runs;

/// <summary>Where a run began, and what it leaves out: a counterfactual run names the run it departs from.</summary>
public sealed record RunStart
{
    public RunStartKind Kind { get; init; } = RunStartKind.Initial;

    /// <summary>The run departed from; null where there is none.</summary>
    public string? RunId { get; init; }

    public string? RunPath { get; init; }

    /// <summary>The stage of that run whose end this one starts from.</summary>
    public string? AfterStage { get; init; }

    /// <summary>Stages of the configuration that are not trained.</summary>
    public IReadOnlyList<string> SkippedStages { get; init; } = [];
}
