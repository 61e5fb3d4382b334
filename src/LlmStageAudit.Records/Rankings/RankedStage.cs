using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Records.Rankings;

/// <summary>How much a stage raised the model's reliance on the confounder.</summary>
public sealed record RankedStage
{
    /// <summary>The stage's name.</summary>
    public required string Stage { get; init; }

    /// <summary>Observed less counterfactual gap; positive where the stage raised the reliance.</summary>
    public required double Score { get; init; }

    /// <summary>
    /// What screened the stage, such as recorded replay, where it was not settled by exact replay: then its score is an estimate, it
    /// has no interval (NaN), its p-value is 1 and it is never significant. Null for settled stages, and where nothing was screened.
    /// </summary>
    public Estimator? Screen { get; init; }

    /// <summary>Lower end of the interval.</summary>
    public required double Low { get; init; }

    /// <summary>Upper end.</summary>
    public required double High { get; init; }

    /// <summary>The grade of the effect it comes from; null in files written before effects were graded.</summary>
    public string? Trust { get; init; }

    /// <summary>What the grade rests on.</summary>
    public TrustEvidence? Evidence { get; init; }

    /// <summary>
    /// Two-sided: how often as large a score comes out where membership of the group is drawn anew among rows of one label; 1 where the
    /// stage was not settled.
    /// </summary>
    public required double PValue { get; init; }

    /// <summary>After Benjamini-Hochberg over the ranking.</summary>
    public required double AdjustedPValue { get; init; }

    /// <summary>Whether <see cref="AdjustedPValue"/> is within the ranking's false discovery rate, in this run.</summary>
    public required Significance Significant { get; init; }

    /// <summary>The confounder gap of the model as trained.</summary>
    public required double ObservedGap { get; init; }

    /// <summary>The confounder gap of the model without the stage.</summary>
    public required double CounterfactualGap { get; init; }
}

/// <summary>Whether an effect is more than the choice of rows can bring about.</summary>
public enum Significance
{
    /// <summary>It is.</summary>
    Yes,

    /// <summary>It may be luck, or nothing tested it.</summary>
    No,

    /// <summary>A group or its rest has too few rows of a label for any answer.</summary>
    TooFewRows,
}
