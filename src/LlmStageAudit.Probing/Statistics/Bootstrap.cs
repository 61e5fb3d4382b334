using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Probing.Statistics;

/// <summary>An estimate with its 95% interval and the two-sided bootstrap p-value of being zero.</summary>
/// <param name="Estimate">Of all examples.</param>
/// <param name="Low">The interval's lower end.</param>
/// <param name="High">Its upper end.</param>
/// <param name="PValue">From 0 to 1.</param>
public readonly record struct BootstrapResult(double Estimate, double Low, double High, double PValue);

/// <summary>
/// Percentile bootstrap (Efron 1979) over examples: how far a statistic could move had other examples been drawn. It speaks of
/// the choice of probe examples, not of the randomness of training.
/// </summary>
public static class Bootstrap
{
    internal const int Resamples = 2000;
    private const double Tail = 0.025;

    /// <summary>The mean of the values.</summary>
    /// <param name="values">One per example.</param>
    /// <param name="key">Names the random stream, so that repeated runs agree.</param>
    public static BootstrapResult Mean(IReadOnlyList<double> values, string key) => Contrast([(1, values)], key);

    /// <summary>sum_c weight_c mean(values_c), resampling within each cell c.</summary>
    /// <param name="cells">Weights and values; no cell is empty.</param>
    /// <param name="key">Names the random stream.</param>
    internal static BootstrapResult Contrast(IReadOnlyList<(double Weight, IReadOnlyList<double> Values)> cells, string key) =>
        Summarize(cells.Sum(cell => cell.Weight * cell.Values.Average()), ContrastDraws(cells, key));

    /// <summary>The resampled contrasts in the order drawn. A key and the sizes of the cells decide which examples a draw takes.</summary>
    internal static double[] ContrastDraws(IReadOnlyList<(double Weight, IReadOnlyList<double> Values)> cells, string key)
    {
        var random = StableRandom.For(0, "bootstrap", key);
        var draws = new double[Resamples];
        for (var draw = 0; draw < Resamples; draw++)
        {
            foreach (var (weight, values) in cells)
            {
                var sum = 0.0;
                for (var i = 0; i < values.Count; i++) sum += values[random.Next(values.Count)];
                draws[draw] += weight * sum / values.Count;
            }
        }

        return draws;
    }

    /// <summary>Any statistic of a list of example numbers; draws where it is undefined (NaN) are left out.</summary>
    /// <param name="count">Examples 0 .. count - 1.</param>
    /// <param name="statistic">Of example numbers, which repeat in a resample.</param>
    /// <param name="key">Names the random stream.</param>
    internal static BootstrapResult Statistic(int count, Func<int[], double> statistic, string key) => Summarize(
        statistic([.. Enumerable.Range(0, count)]), [.. StatisticDraws(count, statistic, key).Where(draw => !double.IsNaN(draw))]);

    /// <summary>
    /// The resampled statistics in the order drawn, NaN where undefined. A key and a count decide which examples a draw takes.
    /// </summary>
    internal static double[] StatisticDraws(int count, Func<int[], double> statistic, string key)
    {
        var random = StableRandom.For(0, "bootstrap", key);
        var draws = new double[Resamples];
        var indices = new int[count];
        for (var draw = 0; draw < Resamples; draw++)
        {
            for (var i = 0; i < count; i++) indices[i] = random.Next(count);
            draws[draw] = statistic(indices);
        }

        return draws;
    }

    private static BootstrapResult Summarize(double estimate, double[] draws)
    {
        if (draws.Length == 0) return new BootstrapResult(estimate, double.NaN, double.NaN, double.NaN);
        Array.Sort(draws);
        var below = draws.Count(draw => draw <= 0);
        var above = draws.Count(draw => draw >= 0);
        var pValue = Math.Min(1, 2.0 * (Math.Min(below, above) + 1) / (draws.Length + 1));
        return new BootstrapResult(estimate, Quantile(draws, Tail), Quantile(draws, 1 - Tail), pValue);
    }

    /// <summary>Linear interpolation between order statistics.</summary>
    private static double Quantile(double[] sorted, double share)
    {
        var position = share * (sorted.Length - 1);
        var below = (int)position;
        var above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + ((position - below) * (sorted[above] - sorted[below]));
    }
}
