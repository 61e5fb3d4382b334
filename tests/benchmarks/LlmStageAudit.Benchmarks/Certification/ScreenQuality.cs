using LlmStageAudit.Probing.Statistics;

namespace LlmStageAudit.Benchmarks.Certification;

/// <summary>Screened scores of one run's stages beside the exact ones.</summary>
/// <param name="CostTrainings">What the screen cost.</param>
internal sealed record ScreenQuality(double[] Truth, double[] Scores, double CostTrainings)
{
    public double Pearson => Correlation.Pearson(Scores, Truth);

    /// <summary>Over all stages but the last.</summary>
    public double RootMeanSquareError =>
        Math.Sqrt(Scores.Zip(Truth, (score, truth) => (score - truth) * (score - truth)).SkipLast(1).Average());

    public bool IsRightFirst => Array.IndexOf(Scores, Scores.Max()) == Array.IndexOf(Truth, Truth.Max());
}

internal static class ScreenQualities
{
    /// <summary>Several runs as a row of a table.</summary>
    public static string[] Row(this IReadOnlyList<ScreenQuality> runs, string name) =>
    [
        name, runs.Average(run => run.Pearson).Shown("F3"), runs.Min(run => run.Pearson).Shown("F3"),
        runs.Average(run => run.RootMeanSquareError).Shown("F3"), $"{runs.Count(run => run.IsRightFirst)} of {runs.Count}",
        $"{runs.Average(run => run.CostTrainings).Shown("F2")}x",
    ];
}
