namespace LlmStageAudit.Records.Effects;

/// <summary>
/// What the same question says of runs that differ in their seed alone: another start of the adapter, order of rows and dropout masks;
/// base and data stay. Only this says what the data does; any other number is of one run.
/// </summary>
public sealed record OverSeeds
{
    /// <summary>Runs, this one among them.</summary>
    public required int Seeds { get; init; }

    /// <summary>One per run, this run's first, in the order of their seeds.</summary>
    public required IReadOnlyList<double> Values { get; init; }

    /// <summary>Of <see cref="Values"/>, in the unit of the effect.</summary>
    public required double Mean { get; init; }

    /// <summary>Lower end of the 95% t interval of the mean; NaN where the values do not differ.</summary>
    public required double Low { get; init; }

    /// <summary>Upper end.</summary>
    public required double High { get; init; }

    /// <summary>variance / (variance + mean^2) over seeds: 0 where every seed says the same, 1 where the effect is luck and nothing else.</summary>
    public required double Luck { get; init; }

    /// <summary>
    /// Two-sided, of no effect: by t over the seeds; where probe rows are compared, the larger of that and of the permutation test of
    /// each row's mean over the seeds.
    /// </summary>
    public required double PValue { get; init; }

    /// <summary>After Benjamini-Hochberg over the stages.</summary>
    public required double AdjustedPValue { get; init; }

    /// <summary>Whether the data does that: <see cref="AdjustedPValue"/> is within the false discovery rate.</summary>
    public required Significance Significant { get; init; }
}
