namespace LlmStageAudit.Records.Configuration;

/// <summary>Everything that decides a run. Paths are absolute and per-stage blocks are merged.</summary>
public sealed record RunConfiguration
{
    public required ModelSection Model { get; init; }

    /// <summary>Null (<c>adapter: none</c>): all parameters train.</summary>
    public AdapterSection? Adapter { get; init; }

    /// <summary>The run's block; each stage carries its own merged one.</summary>
    public required OptimizerSection Optimizer { get; init; }

    /// <summary>The run's block; each stage carries its own merged one.</summary>
    public required ScheduleSection Schedule { get; init; }

    public required long Seed { get; init; }

    /// <summary>In training order, at least one.</summary>
    public required IReadOnlyList<StageSection> Stages { get; init; }

    /// <summary>Probe files, absolute.</summary>
    public IReadOnlyList<string> Probes { get; init; } = [];

    public TrajectorySection Trajectory { get; init; } = new();
}
