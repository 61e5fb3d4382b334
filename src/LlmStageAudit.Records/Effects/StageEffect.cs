using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Records.Effects;

/// <summary>A stage's estimated effect on a probe: observed minus counterfactual, so positive where the stage raised the metric.</summary>
public sealed record StageEffect
{
    /// <summary>A stage's name, or what else was left out, such as "steps 10-12".</summary>
    public required string Stage { get; init; }

    /// <summary>The performance function.</summary>
    public required string Metric { get; init; }

    /// <summary>The first step left out, numbered from 1 through the run; null for whole stages and for examples.</summary>
    public int? FirstStep { get; init; }

    /// <summary>The last step left out.</summary>
    public int? LastStep { get; init; }

    /// <summary>The training example, where the effect is one's.</summary>
    public string? Example { get; init; }

    /// <summary>Mean over probe rows of observed minus counterfactual, in the unit of the metric.</summary>
    public required double Estimate { get; init; }

    /// <summary>Lower end of the bootstrap interval over probe rows; null where a sweep gave the mean over the probe alone.</summary>
    public double? Low { get; init; }

    /// <summary>Upper end.</summary>
    public double? High { get; init; }

    /// <summary>How far the number is right for this run.</summary>
    public required TrustGrade Trust { get; init; }

    /// <summary>What the grade rests on.</summary>
    public TrustEvidence? Evidence { get; init; }

    /// <summary>How this effect was estimated, where that is not the file's own estimator; else null.</summary>
    public Estimator? Estimator { get; init; }

    /// <summary>
    /// What was estimated before the effect was settled: the screen's, on the measure that was certified, or a first-order sum; null where
    /// there was no such estimate.
    /// </summary>
    public double? Screened { get; init; }

    /// <summary>Two-sided, by exchanging the signs of the rows' effects; null where no row's effect is known.</summary>
    public double? PValue { get; init; }

    /// <summary>After Benjamini-Hochberg over the effects of the file.</summary>
    public double? AdjustedPValue { get; init; }

    /// <summary>Whether the effect is more than the choice of probe rows can bring about, in this run.</summary>
    public Significance? Significant { get; init; }

    /// <summary>What other seeds say; null where none was asked.</summary>
    public OverSeeds? OverSeeds { get; init; }

    /// <summary>The model without the stage; null where the method makes none.</summary>
    public ProbeScores? Counterfactual { get; init; }

    /// <summary>In probe order.</summary>
    public IReadOnlyList<ExampleEffect> PerExample { get; init; } = [];

    /// <summary>Folder of the counterfactual as a PEFT adapter, where it was exported.</summary>
    public string? ExportedAdapter { get; init; }
}

/// <summary>A stage's estimated effect on one probe row: observed minus counterfactual.</summary>
public sealed record ExampleEffect
{
    /// <summary>The probe row's id.</summary>
    public required string Id { get; init; }

    /// <summary>Observed minus counterfactual, in the unit of the metric.</summary>
    public required double Estimate { get; init; }
}

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
    /// The relative error over probe examples that the checks foretell of the effects, by the probe's gradient: without the calibrated
    /// margin, and without what the linearity gap adds where the effects themselves are linear. Where the measure has no derivative, that
    /// of the parameters' change. Of a sweep, the error of the scores that were checked.
    /// </summary>
    public double? PredictedError { get; init; }

    /// <summary>||theta - theta'|| at the last spot check over that at the first: above 1, differences grow on their way.</summary>
    public double? Growth { get; init; }

    /// <summary>Steps spot-checked.</summary>
    public int Checks { get; init; }

    /// <summary>The command that would settle an effect of low or unknown trust.</summary>
    public string? Settle { get; init; }

    /// <summary>What that costs, in gradients of one batch.</summary>
    public double? SettleGradientEquivalents { get; init; }
}
