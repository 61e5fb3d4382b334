using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Records.Comparisons;

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
