using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Verifications;

/// <summary>How well predicted effects agree with retraining, and whether that passes the gate.</summary>
public sealed record VerificationArtifact : IArtifact<VerificationArtifact>
{
    public static string KindName => "verification";

    public static int CurrentSchemaVersion => 1;

    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    public string Kind { get; init; } = KindName;

    public required string RunId { get; init; }

    public required string PlanPath { get; init; }

    public required string EffectsPath { get; init; }

    public required DateTime CreatedUtc { get; init; }

    /// <summary>The gradient source of the predictions.</summary>
    public required string Gradient { get; init; }

    /// <summary>The gate; null: none.</summary>
    public double? MinPearson { get; init; }

    public required bool Passed { get; init; }

    public IReadOnlyList<VerifiedStage> Stages { get; init; } = [];

    string? IArtifact<VerificationArtifact>.Fault() =>
        RecordRules.RunId(RunId)
        ?? RecordRules.First(Stages, stage =>
            stage.PredictedPerExample.Count == stage.Examples && stage.MeasuredPerExample.Count == stage.Examples
                ? null
                : $"stages: {stage.PredictedPerExample.Count} predictions and "
                    + $"{stage.MeasuredPerExample.Count} measurements of {stage.Examples} examples");
}
