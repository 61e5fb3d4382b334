namespace LlmStageAudit.Reporting.Charts;

/// <summary>One bar of a <see cref="StageEffectChart"/>: the effect of a stage, observed minus counterfactual.</summary>
internal sealed record StageBar
{
    public required string Stage { get; init; }

    public required double Estimate { get; init; }

    /// <summary>Lower end of the interval; null where there is none.</summary>
    public required double? Low { get; init; }

    /// <summary>Upper end.</summary>
    public required double? High { get; init; }

    /// <summary>The effect that retraining measured; null where the stage was not retrained.</summary>
    public double? Measured { get; init; }

    public BarFill Fill { get; init; } = BarFill.Hatched;

    /// <summary>What the fill says, in a few words, to stand under the name.</summary>
    public string Standing { get; init; } = "not verified";
}
