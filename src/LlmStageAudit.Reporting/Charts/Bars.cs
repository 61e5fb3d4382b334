namespace LlmStageAudit.Reporting.Charts;

/// <summary>How a bar's inside says whether its effect is to be relied on, whatever its colour.</summary>
internal enum BarFill
{
    /// <summary>Retrained, or exact replay.</summary>
    Solid,

    /// <summary>Estimated with high or medium trust.</summary>
    Hatched,

    /// <summary>Of low trust, or never checked: an outline in dashes.</summary>
    Hollow,
}

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

/// <summary>One bar of a <see cref="StepEffectChart"/>: the effect of a step, observed minus counterfactual; steps from 1.</summary>
internal sealed record StepBar(int Step, double Estimate, BarFill Fill);
