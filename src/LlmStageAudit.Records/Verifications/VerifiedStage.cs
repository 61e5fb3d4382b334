namespace LlmStageAudit.Records.Verifications;

/// <summary>A stage's predicted effect against the one measured by retraining.</summary>
public sealed record VerifiedStage
{
    /// <summary>The stage left out.</summary>
    public required string Stage { get; init; }

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

    /// <summary>Whether predicted and measured effects are the same bits, example by example; null where they were not compared.</summary>
    public bool? BitIdentical { get; init; }
}
