using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>What the effects of stages under several seeds say together, with the false discovery rate over the stages controlled.</summary>
internal static class SeedSummary
{
    /// <summary>One summary per stage.</summary>
    /// <param name="stages">
    /// Of each one value per seed, at least two; the p-value of its mean under another choice of rows, 0 where none was tested; and whether
    /// there are rows enough for any answer.
    /// </param>
    public static IReadOnlyList<OverSeeds> Of(IReadOnlyList<(double[] Values, double RowPValue, bool HasEnoughRows)> stages)
    {
        var students = stages.Select(stage => StudentInterval.Of(stage.Values)).ToArray();
        // Luck must be ruled out on both sides: that of the rows and that of the seeds.
        double[] pValues = [.. students.Zip(stages, (student, stage) => Math.Max(student.PValue, stage.RowPValue))];
        var adjusted = FalseDiscovery.AdjustWhere([.. pValues.Zip(stages, (p, stage) => (p, stage.HasEnoughRows))]);
        return
        [
            .. students.Select((student, i) => new OverSeeds
            {
                Seeds = stages[i].Values.Length,
                Values = stages[i].Values,
                Mean = student.Mean,
                Low = student.Mean - student.HalfWidth,
                High = student.Mean + student.HalfWidth,
                Luck = student.Variance == 0 ? 0 : student.Variance / (student.Variance + (student.Mean * student.Mean)),
                PValue = pValues[i],
                AdjustedPValue = adjusted[i],
                Significant = FalseDiscovery.Verdict(adjusted[i], stages[i].HasEnoughRows),
            }),
        ];
    }
}
