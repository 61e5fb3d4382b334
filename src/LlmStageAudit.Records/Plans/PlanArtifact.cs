using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Plans;

/// <summary>Which retrainings settle which effects, what they start from and what they cost.</summary>
public sealed record PlanArtifact : IArtifact<PlanArtifact>
{
    /// <inheritdoc/>
    public static string KindName => "plan";

    /// <inheritdoc/>
    public static int CurrentSchemaVersion => 1;

    /// <inheritdoc/>
    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    /// <inheritdoc/>
    public string Kind { get; init; } = KindName;

    /// <summary>Id of the run it is about: 32 hexadecimal digits.</summary>
    public required string RunId { get; init; }

    /// <summary>The run's folder.</summary>
    public required string Run { get; init; }

    /// <summary>The effects to verify; null where none were given.</summary>
    public string? EffectsPath { get; init; }

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
