using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Plans;

/// <summary>Which retrainings settle which effects, what they start from and what they cost.</summary>
public sealed record PlanArtifact : RunArtifact<PlanArtifact>, IArtifact<PlanArtifact>
{
    /// <inheritdoc/>
    public static string KindName => "plan";

    /// <summary>The run's folder.</summary>
    public required string Run { get; init; }

    /// <summary>The effects to verify; null where none were given.</summary>
    public string? EffectsPath { get; init; }

    /// <summary>What was chosen to plan by and why, in a sentence; null in files written before that was recorded.</summary>
    public string? Choice { get; init; }

    /// <summary>The probe file to verify with; null where none was given.</summary>
    public string? ProbePath { get; init; }

    /// <summary>When the record was made, UTC.</summary>
    public required DateTime CreatedUtc { get; init; }

    /// <summary>The retrainings, in the order they are to run.</summary>
    public IReadOnlyList<PlannedJob> Jobs { get; init; } = [];

    /// <summary>Steps of all jobs together.</summary>
    public int TotalSteps { get; init; }

    /// <summary>One job after the other.</summary>
    public double EstimatedSeconds { get; init; }

    private const int MostJobs = 1000;

    string? IArtifact<PlanArtifact>.Fault()
    {
        if (Jobs.Count > MostJobs) return $"jobs: {Jobs.Count} jobs, more than {MostJobs}";
        var ids = new HashSet<string>(StringComparer.Ordinal);
        return RecordRules.RunId(RunId)
            ?? RecordRules.Count("totalSteps", TotalSteps)
            ?? RecordRules.First(Jobs, job =>
                RecordRules.Name("jobs: id", job.Id)
                ?? (ids.Add(job.Id) ? null : $"jobs: '{job.Id}' stands there twice")
                ?? RecordRules.Name("jobs: stage", job.Stage)
                ?? (job.StartsAfter is { } after ? RecordRules.Name("jobs: startsAfter", after) : null)
                ?? RecordRules.First(job.Stages, name => RecordRules.Name("jobs: stages", name))
                ?? RecordRules.Count("jobs: steps", job.Steps));
    }
}

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

    /// <summary>What estimated it; null in files written before that was recorded.</summary>
    public Estimator? Estimator { get; init; }

    /// <summary>How far it is to be relied on; null in files written before that was recorded.</summary>
    public TrustGrade? Trust { get; init; }
}
