using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Verifications;

/// <summary>How well predicted effects agree with retraining, and whether that passes the gate.</summary>
public sealed record VerificationArtifact : IArtifact<VerificationArtifact>
{
    /// <inheritdoc/>
    public static string KindName => "verification";

    /// <inheritdoc/>
    public static int CurrentSchemaVersion => 1;

    /// <inheritdoc/>
    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    /// <inheritdoc/>
    public string Kind { get; init; } = KindName;

    /// <summary>Id of the run it is about: 32 hexadecimal digits.</summary>
    public required string RunId { get; init; }

    /// <summary>The file of the plan whose jobs were retrained.</summary>
    public required string PlanPath { get; init; }

    /// <summary>The file of the effects that were predicted.</summary>
    public required string EffectsPath { get; init; }

    /// <summary>Which effects those are; null in files written before that was recorded.</summary>
    public ResultIdentity? Predictions { get; init; }

    /// <summary>When the record was made, UTC.</summary>
    public required DateTime CreatedUtc { get; init; }

    /// <summary>The gradient source of the predictions.</summary>
    public required string Gradient { get; init; }

    /// <summary>The gate; null: none.</summary>
    public double? MinPearson { get; init; }

    /// <summary>Whether every stage meets the gate; true where there is none.</summary>
    public required bool Passed { get; init; }

    /// <summary>One per job that has effects to compare, in the plan's order.</summary>
    public IReadOnlyList<VerifiedStage> Stages { get; init; } = [];

    string? IArtifact<VerificationArtifact>.Fault() =>
        RecordRules.RunId(RunId)
        ?? RecordRules.First(Stages, stage =>
            stage.PredictedPerExample.Count == stage.Examples && stage.MeasuredPerExample.Count == stage.Examples
                ? null
                : $"stages: {stage.PredictedPerExample.Count} predictions and "
                    + $"{stage.MeasuredPerExample.Count} measurements of {stage.Examples} examples");
}
