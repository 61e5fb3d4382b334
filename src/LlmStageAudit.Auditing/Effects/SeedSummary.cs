using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>What the effects of stages under several seeds say together, with the false discovery rate over the stages controlled.</summary>
internal static class SeedSummary
{
    /// <summary>One summary per stage.</summary>
    /// <param name="values">Of each stage, one value per seed, at least two.</param>
    /// <param name="rowTests">Of each stage, the p-value of its mean under another choice of rows; null where none was tested.</param>
    /// <param name="tooFewRows">Whether the rows are too few for any answer, whatever the seeds say.</param>
    public static IReadOnlyList<OverSeeds> Of(IReadOnlyList<double[]> values, IReadOnlyList<double>? rowTests, bool tooFewRows)
    {
        var students = values.Select(StudentInterval.Of).ToArray();
        // Luck must be ruled out on both sides: that of the rows and that of the seeds.
        double[] pValues = [.. students.Select((student, i) => Math.Max(student.PValue, rowTests?[i] ?? 0))];
        var adjusted = FalseDiscovery.Adjust(pValues);
        return
        [
            .. students.Select((student, i) => new OverSeeds
            {
                Seeds = values[i].Length,
                Values = values[i],
                Mean = student.Mean,
                Low = student.Mean - student.HalfWidth,
                High = student.Mean + student.HalfWidth,
                Luck = student.Variance == 0 ? 0 : student.Variance / (student.Variance + (student.Mean * student.Mean)),
                PValue = pValues[i],
                AdjustedPValue = adjusted[i],
                Significant = tooFewRows ? Significance.TooFewRows
                    : adjusted[i] <= FalseDiscovery.Rate ? Significance.Yes : Significance.No,
            }),
        ];
    }
}
