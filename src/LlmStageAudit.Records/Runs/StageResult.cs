namespace LlmStageAudit.Records.Runs;

/// <summary>How far a stage came and what it did. Numbers are null until there is a step to take them from.</summary>
public sealed record StageResult
{
    /// <summary>As in the configuration.</summary>
    public required string Name { get; init; }

    /// <summary>From 0, in the configuration.</summary>
    public required int Index { get; init; }

    /// <summary>The first step's number in the run, from 1.</summary>
    public int? FirstStep { get; init; }

    /// <summary>Steps done.</summary>
    public int Steps { get; init; }

    /// <summary>Rows of the data set that are trained on, each once per epoch.</summary>
    public int? Examples { get; init; }

    /// <summary>Mean loss in nats of the first step's batch.</summary>
    public double? LossFirst { get; init; }

    /// <summary>Mean loss in nats of the last step's batch.</summary>
    public double? LossLast { get; init; }

    /// <summary>Mean over steps, in nats.</summary>
    public double? LossMean { get; init; }

    /// <summary>Wall time of its steps in seconds, without <see cref="LogSeconds"/>.</summary>
    public double TrainSeconds { get; init; }

    /// <summary>What logging added.</summary>
    public double LogSeconds { get; init; }

    /// <summary>The log's last hash, which pins all of it; lower-case hexadecimal.</summary>
    public string? TrajectoryHead { get; init; }

    /// <summary>How far the stage came.</summary>
    public StageState State { get; init; } = StageState.Pending;

    /// <summary>Of the trainable state at the stage's end; lower-case hexadecimal.</summary>
    public string? StateSha256 { get; init; }
}

/// <summary>How far a stage came.</summary>
public enum StageState
{
    /// <summary>No step was made.</summary>
    Pending,
    /// <summary>Some steps may have been made, not all.</summary>
    Running,
    /// <summary>All steps were made and its last state is saved.</summary>
    Completed,
}
