using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Plans;

/// <summary>Which retrainings settle which effects, what they start from and what they cost.</summary>
public sealed record PlanArtifact : IArtifact<PlanArtifact>
{
    public static string KindName => "plan";

    public static int CurrentSchemaVersion => 1;

    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    public string Kind { get; init; } = KindName;

    public required string RunId { get; init; }

    /// <summary>The run's folder.</summary>
    public required string Run { get; init; }

    /// <summary>The effects to verify; null where none were given.</summary>
    public string? EffectsPath { get; init; }

    /// <summary>The probe file to verify with; null where none was given.</summary>
    public string? ProbePath { get; init; }

    public required DateTime CreatedUtc { get; init; }

    public IReadOnlyList<PlannedJob> Jobs { get; init; } = [];

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
