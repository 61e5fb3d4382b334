namespace LlmStageAudit.Records.Plans;

/// <summary>One retraining with a stage left out.</summary>
public sealed record PlannedJob
{
    /// <summary>Unique in the plan; letters, digits, '.', '-' and '_'.</summary>
    public required string Id { get; init; }

    /// <summary>The stage left out.</summary>
    public required string Stage { get; init; }

    /// <summary>The stage whose end the job starts from; null: the run's initial state.</summary>
    public string? StartsAfter { get; init; }

    /// <summary>The stages to train, in order.</summary>
    public IReadOnlyList<string> Stages { get; init; } = [];

    public required int Steps { get; init; }

    /// <summary>From the run's own speed.</summary>
    public double EstimatedSeconds { get; init; }

    /// <summary>Null where no effects were given to plan from.</summary>
    public ExpectedEffect? ExpectedEffect { get; init; }

    /// <summary>The job's run folder, relative to the plan file.</summary>
    public required string Run { get; init; }
}
