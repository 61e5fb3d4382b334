using System.Globalization;

namespace LlmStageAudit.Benchmarks;

internal static class Figures
{
    /// <summary>The middle value; of an even number, the mean of the two in the middle.</summary>
    public static double Median(this IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Median, and least to most.</summary>
    public static string Spread(this IReadOnlyCollection<double> values, string format) =>
        $"{values.Median().Shown(format)} ({values.Min().Shown(format)} to {values.Max().Shown(format)})";

    public static string Shown(this double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
