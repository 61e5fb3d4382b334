namespace LlmStageAudit.Records.Effects;

/// <summary>What an effect's grade of trust rests on.</summary>
public sealed record TrustEvidence
{
    /// <summary>Why it has its grade, in a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>
    /// ||finite - linear|| / ||finite|| over probe examples: how far the probe's own curvature bends the effect away from gradient
    /// times change. Null where the change of the parameters is not known.
    /// </summary>
    public double? LinearityGap { get; init; }

    /// <summary>
    /// The mean over spot-checked steps of ||estimated - true|| / ||true|| of the change of the gradient; null: none checked.
    /// </summary>
    public double? GradientMismatch { get; init; }

    /// <summary>
    /// The relative error over probe examples that the checks foretell of the effects, by the probe's gradient: without what the
    /// linearity gap adds where the effects themselves are linear. Where the measure has no derivative, that of the parameters' change.
    /// </summary>
    public double? PredictedError { get; init; }

    /// <summary>||theta - theta'|| at the last spot check over that at the first: above 1, differences grow on their way.</summary>
    public double? Growth { get; init; }

    /// <summary>Steps spot-checked.</summary>
    public int Checks { get; init; }

    /// <summary>The command that would settle an effect of low trust.</summary>
    public string? Settle { get; init; }

    /// <summary>What that costs, in gradients of one batch.</summary>
    public double? SettleGradientEquivalents { get; init; }
}
