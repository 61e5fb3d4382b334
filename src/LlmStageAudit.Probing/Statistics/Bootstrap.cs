using LlmStageAudit.Foundation.Randomness;
using MathNet.Numerics.Distributions;

namespace LlmStageAudit.Probing.Statistics;

/// <summary>An estimate with its 95% interval.</summary>
/// <param name="Estimate">Of all examples.</param>
/// <param name="Low">The interval's lower end; NaN where the examples cannot tell, as one or two cannot.</param>
/// <param name="High">Its upper end.</param>
public readonly record struct BootstrapResult(double Estimate, double Low, double High);

/// <summary>
/// Bootstrap (Efron 1979) over examples: how far a statistic could move had other examples been drawn. It speaks of the choice of
/// probe examples, not of the randomness of training.
/// <code>
/// contrasts of means  studentized: t* = (m* - m) / se*,  interval m - se t*(1 - a), m - se t*(a);  resamples with se* = 0 left out
/// other statistics    BCa: quantiles moved by the bias z0 and by the acceleration, from the jackknife (Efron 1987)
/// </code>
/// </summary>
public static class Bootstrap
{
    internal const int Resamples = 2000;
    private const double Tail = 0.025;

    /// <summary>The resamples of two values that have a spread are the two themselves: no ratio but 0.</summary>
    private const int LeastValues = 3;

    /// <summary>The most groups of examples that a jackknife leaves out one after the other.</summary>
    private const int MostJackknifed = 400;

    /// <summary>The mean of the values.</summary>
    /// <param name="values">One per example.</param>
    /// <param name="key">Names the random stream, so that repeated runs agree.</param>
    public static BootstrapResult Mean(IReadOnlyList<double> values, string key) => Contrast([(1, values)], key);

    /// <summary>sum_c weight_c mean(values_c), resampling within each cell c.</summary>
    /// <param name="cells">Weights and values; no cell is empty.</param>
    /// <param name="key">Names the random stream.</param>
    internal static BootstrapResult Contrast(IReadOnlyList<(double Weight, IReadOnlyList<double> Values)> cells, string key) =>
        Studentized(cells, Draws(cells, key), Tail);

    /// <summary>The resampled contrasts in the order drawn. A key and the sizes of the cells decide which examples a draw takes.</summary>
    internal static double[] ContrastDraws(IReadOnlyList<(double Weight, IReadOnlyList<double> Values)> cells, string key) =>
        [.. Draws(cells, key).Select(draw => draw.Contrast)];

    /// <summary>The studentized interval by given resamples.</summary>
    /// <param name="cells">Weights and values.</param>
    /// <param name="draws">The contrast and its standard error in each resample.</param>
    /// <param name="tail">What is left on either side.</param>
    internal static BootstrapResult Studentized(
        IReadOnlyList<(double Weight, IReadOnlyList<double> Values)> cells,
        IEnumerable<(double Contrast, double StandardError)> draws,
        double tail)
    {
        var estimate = cells.Sum(cell => cell.Weight * cell.Values.Average());
        // One or two examples have no spread to learn from; several that agree to the bit have none.
        if (cells.Any(cell => cell.Values.Count < LeastValues)) return new BootstrapResult(estimate, double.NaN, double.NaN);
        var error = Math.Sqrt(cells.Sum(cell => Variance(cell.Weight, [.. cell.Values])));
        if (error == 0) return new BootstrapResult(estimate, estimate, estimate);
        double[] ratios =
            [.. draws.Where(draw => draw.StandardError > 0).Select(draw => (draw.Contrast - estimate) / draw.StandardError).Order()];
        return ratios.Length == 0
            ? new BootstrapResult(estimate, double.NaN, double.NaN)
            : new BootstrapResult(
                estimate, estimate - (error * Quantile(ratios, 1 - tail)), estimate - (error * Quantile(ratios, tail)));
    }

    /// <summary>Any statistic of a list of example numbers; draws where it is undefined (NaN) are left out.</summary>
    /// <param name="count">Examples 0 .. count - 1.</param>
    /// <param name="statistic">Of example numbers, which repeat in a resample.</param>
    /// <param name="key">Names the random stream.</param>
    internal static BootstrapResult Statistic(int count, Func<int[], double> statistic, string key) =>
        BiasCorrected(count, statistic, StatisticDraws(count, statistic, key), Tail);

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

    /// <summary>The BCa interval by given resamples.</summary>
    /// <param name="count">Examples 0 .. count - 1.</param>
    /// <param name="statistic">Of example numbers.</param>
    /// <param name="resampled">The statistic in each resample; NaN where undefined.</param>
    /// <param name="tail">What is left on either side.</param>
    internal static BootstrapResult BiasCorrected(int count, Func<int[], double> statistic, IEnumerable<double> resampled, double tail)
    {
        int[] all = [.. Enumerable.Range(0, count)];
        var estimate = statistic(all);
        double[] draws = [.. resampled.Where(draw => !double.IsNaN(draw)).Order()];
        if (draws.Length == 0 || double.IsNaN(estimate)) return new BootstrapResult(estimate, double.NaN, double.NaN);
        if (draws[0] == draws[^1]) return new BootstrapResult(estimate, draws[0], draws[^1]);
        var below = (draws.Count(draw => draw < estimate) + (0.5 * draws.Count(draw => draw == estimate))) / draws.Length;
        var bias = Normal.InvCDF(0, 1, Math.Clamp(below, 0.5 / draws.Length, 1 - (0.5 / draws.Length)));
        var acceleration = Acceleration(all, statistic);
        return new BootstrapResult(estimate, Quantile(draws, Level(tail)), Quantile(draws, Level(1 - tail)));

        double Level(double share)
        {
            var z = bias + Normal.InvCDF(0, 1, share);
            return Normal.CDF(0, 1, bias + (z / (1 - (acceleration * z))));
        }
    }

    /// <summary>sum u^3 / (6 (sum u^2)^1.5), u the mean of the statistics without an example less each; 0 where they all agree.</summary>
    private static double Acceleration(int[] all, Func<int[], double> statistic)
    {
        var groups = Math.Min(all.Length, MostJackknifed);
        double[] without =
        [
            .. Enumerable.Range(0, groups).Select(left => statistic([.. all.Where(i => i % groups != left)])).Where(double.IsFinite),
        ];
        if (without.Length == 0) return 0;
        var mean = without.Average();
        var (squares, cubes) = (without.Sum(value => Math.Pow(mean - value, 2)), without.Sum(value => Math.Pow(mean - value, 3)));
        return squares == 0 ? 0 : cubes / (6 * Math.Pow(squares, 1.5));
    }

    private static IEnumerable<(double Contrast, double StandardError)> Draws(
        IReadOnlyList<(double Weight, IReadOnlyList<double> Values)> cells, string key)
    {
        var random = StableRandom.For(0, "bootstrap", key);
        var drawn = cells.Select(cell => new double[cell.Values.Count]).ToArray();
        for (var draw = 0; draw < Resamples; draw++)
        {
            var (contrast, variance) = (0.0, 0.0);
            foreach (var (cell, values) in cells.Zip(drawn))
            {
                for (var i = 0; i < values.Length; i++) values[i] = cell.Values[random.Next(values.Length)];
                contrast += cell.Weight * values.Sum() / values.Length;
                variance += Variance(cell.Weight, values);
            }

            yield return (contrast, Math.Sqrt(variance));
        }
    }

    /// <summary>Of weight times the mean of the values: weight^2 sd^2 / n, with sd by n - 1; 0 for a single value.</summary>
    private static double Variance(double weight, ReadOnlySpan<double> values)
    {
        if (values.Length < 2) return 0;
        var (sum, squares) = (0.0, 0.0);
        foreach (var value in values) sum += value;
        var mean = sum / values.Length;
        foreach (var value in values) squares += (value - mean) * (value - mean);
        return weight * weight * squares / (values.Length - 1) / values.Length;
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
