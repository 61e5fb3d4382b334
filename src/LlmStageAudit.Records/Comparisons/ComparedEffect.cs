namespace LlmStageAudit.Records.Comparisons;

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
