namespace LlmStageAudit.Records.Runs;

/// <summary>Where a run began, and what it leaves out: a counterfactual run names the run it departs from.</summary>
public sealed record RunStart
{
    /// <summary>Whether the first state was made or taken over.</summary>
    public RunStartKind Kind { get; init; } = RunStartKind.Initial;

    /// <summary>The run departed from; null where there is none.</summary>
    public string? RunId { get; init; }

    /// <summary>Folder of the run departed from when this one began; null where there is none.</summary>
    public string? RunPath { get; init; }

    /// <summary>The stage of that run whose end this one starts from.</summary>
    public string? AfterStage { get; init; }

    /// <summary>Stages of the configuration that are not trained.</summary>
    public IReadOnlyList<string> SkippedStages { get; init; } = [];
}

/// <summary>What state a run began with.</summary>
public enum RunStartKind
{
    /// <summary>The state its own configuration makes.</summary>
    Initial,

    /// <summary>The state of another run at the end of one of its stages.</summary>
    Checkpoint,
}
