using System.Text.Json.Serialization;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Comparisons;

/// <summary>How several estimators agree with retraining on one run and probe, and what each costs.</summary>
public sealed record ComparisonArtifact : IArtifact<ComparisonArtifact>
{
    /// <inheritdoc/>
    public static string KindName => "comparison";

    /// <inheritdoc/>
    public static int CurrentSchemaVersion => 1;

    /// <inheritdoc/>
    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    /// <inheritdoc/>
    public string Kind { get; init; } = KindName;

    /// <summary>Id of the run it is about: 32 hexadecimal digits.</summary>
    public required string RunId { get; init; }

    /// <summary>The run folder.</summary>
    public required string Run { get; init; }

    /// <summary>The probe whose rows are compared.</summary>
    public required ProbeReference Probe { get; init; }

    /// <summary>What was left out: each stage, or single steps.</summary>
    [JsonPropertyName("level")]
    public required Treatment Treatment { get; init; }

    /// <summary>What is compared example by example. For a probe of a group metric: the log-likelihood of the label.</summary>
    public required string Metric { get; init; }

    /// <summary>When the record was made, UTC.</summary>
    public required DateTime CreatedUtc { get; init; }

    /// <summary>Steps of the run: what one training costs in gradients of one batch.</summary>
    public required int TrainingSteps { get; init; }

    /// <summary>What the run's training took, logging included.</summary>
    public required double TrainingSeconds { get; init; }

    /// <summary>The reference first: exact replay, whose bits are those of retraining.</summary>
    public IReadOnlyList<ComparedEstimator> Estimators { get; init; } = [];

    string? IArtifact<ComparisonArtifact>.Fault() =>
        RecordRules.RunId(RunId) ?? Probe.Fault() ?? RecordRules.Count("trainingSteps", TrainingSteps);
}
