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

    /// <summary>Steps to train, over all of <see cref="Stages"/>.</summary>
    public required int Steps { get; init; }

    /// <summary>From the run's own speed.</summary>
    public double EstimatedSeconds { get; init; }

    /// <summary>Null where no effects were given to plan from.</summary>
    public ExpectedEffect? ExpectedEffect { get; init; }

    /// <summary>The job's run folder, relative to the plan file.</summary>
    public required string Run { get; init; }
}

/// <summary>The effect that a job is expected to confirm.</summary>
public sealed record ExpectedEffect
{
    /// <summary>The performance function.</summary>
    public required string Metric { get; init; }

    /// <summary>Observed minus counterfactual: positive where the stage raised the metric.</summary>
    public required double Estimate { get; init; }

    /// <summary>Lower end of the interval.</summary>
    public double? Low { get; init; }

    /// <summary>Upper end.</summary>
    public double? High { get; init; }

    /// <summary>The gradient source that it was estimated with.</summary>
    public required string Gradient { get; init; }
}
