using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Verifications;

/// <summary>How well predicted effects agree with retraining, and whether that passes the gate.</summary>
public sealed record VerificationArtifact : RunArtifact<VerificationArtifact>, IArtifact<VerificationArtifact>
{
    /// <inheritdoc/>
    public static string KindName => "verification";

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

/// <summary>A stage's predicted effect against the one measured by retraining.</summary>
public sealed record VerifiedStage
{
    /// <summary>The stage left out.</summary>
    public required string Stage { get; init; }

    /// <summary>What predicted it; null in files written before that was recorded.</summary>
    public Estimator? Estimator { get; init; }

    /// <summary>Mean estimate.</summary>
    public required double Predicted { get; init; }

    /// <summary>Mean of observed less retrained.</summary>
    public required double Measured { get; init; }

    /// <summary>Over probe rows; NaN where one side does not vary.</summary>
    public required double Pearson { get; init; }

    /// <summary>Over probe rows; NaN where one side does not vary.</summary>
    public required double Spearman { get; init; }

    /// <summary>Euclidean norm of the difference over that of the measured effects.</summary>
    public required double RelativeError { get; init; }

    /// <summary>Probe rows compared.</summary>
    public required int Examples { get; init; }

    /// <summary>In probe order.</summary>
    public IReadOnlyList<double> PredictedPerExample { get; init; } = [];

    /// <summary>In probe order.</summary>
    public IReadOnlyList<double> MeasuredPerExample { get; init; } = [];

    /// <summary>What predicted it, where the stage or at least its verification says so.</summary>
    /// <param name="verification">The verification it is part of.</param>
    public Estimator? EstimatorOf(VerificationArtifact verification) => Estimator ?? verification.Predictions?.Estimator;

    /// <summary>Whether predicted and measured effects are the same bits, example by example; null where they were not compared.</summary>
    public bool? BitIdentical { get; init; }
}
