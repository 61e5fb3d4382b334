using System.Text.Json.Serialization;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Comparisons;

/// <summary>How several estimators agree with retraining on one run and probe, and what each costs.</summary>
public sealed record ComparisonArtifact : RunArtifact<ComparisonArtifact>, IArtifact<ComparisonArtifact>
{
    /// <inheritdoc/>
    public static string KindName => "comparison";

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

/// <summary>One estimator against retraining. A correlation that is undefined, since one side does not vary, is NaN.</summary>
public sealed record ComparedEstimator
{
    /// <summary>With its settings.</summary>
    public required Estimator Estimator { get; init; }

    /// <summary>At level stage the mean over the stages where it is defined; at level step over the sampled steps.</summary>
    public required double Pearson { get; init; }

    /// <summary>As <see cref="Pearson"/>.</summary>
    public required double Spearman { get; init; }

    /// <summary>Euclidean norm of the difference over that of the measured effects; at level stage the mean over stages.</summary>
    public required double RelativeError { get; init; }

    /// <summary>Cost in gradients of one batch; running the probe is not in it, here or in the seconds.</summary>
    public required double GradientEquivalents { get; init; }

    /// <summary>The same cost in trainings of the whole run.</summary>
    public required double Trainings { get; init; }

    /// <summary>Wall time of this estimator, in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>Why there are no figures, such as numbers that are not finite; null where there are.</summary>
    public string? Failure { get; init; }

    /// <summary>One per stage or sampled step; none after a failure.</summary>
    public IReadOnlyList<ComparedEffect> Effects { get; init; } = [];
}

/// <summary>The effect of one stage or step, predicted by an estimator and measured by retraining: observed minus counterfactual.</summary>
public sealed record ComparedEffect
{
    /// <summary>A stage's name, or what else was left out, such as "step 10".</summary>
    public required string Stage { get; init; }

    /// <summary>Mean over probe rows.</summary>
    public required double Predicted { get; init; }

    /// <summary>Mean over probe rows.</summary>
    public required double Measured { get; init; }

    /// <summary>Over probe rows; NaN where one side does not vary; null at level step, where the steps are what is correlated.</summary>
    public double? Pearson { get; init; }

    /// <summary>As <see cref="Pearson"/>.</summary>
    public double? Spearman { get; init; }

    /// <summary>Over probe rows; null at level step.</summary>
    public double? RelativeError { get; init; }
}
