using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Probing.Statistics;

/// <summary>Control of the false discovery rate over several tests (Benjamini, Hochberg 1995).</summary>
public static class FalseDiscovery
{
    /// <summary>The rate that is controlled at: of what is called significant, at most this share is luck, on average.</summary>
    public const double Rate = 0.05;

    /// <summary>What an adjusted p-value means for whoever asks whether an effect is more than luck.</summary>
    /// <param name="adjusted">As <see cref="AdjustWhere"/> gives it.</param>
    /// <param name="hasEnoughRows">Whether there are rows enough for any answer.</param>
    public static Significance Verdict(double adjusted, bool hasEnoughRows) =>
        !hasEnoughRows ? Significance.TooFewRows : adjusted <= Rate ? Significance.Yes : Significance.No;

    /// <summary>The same over those that count alone; 1 for the others, of which nothing can be said.</summary>
    /// <param name="tests">p-values, and whether the test had enough to go by.</param>
    public static double[] AdjustWhere(IReadOnlyList<(double PValue, bool Counts)> tests)
    {
        var counted = new Queue<double>(Adjust([.. tests.Where(test => test.Counts).Select(test => test.PValue)]));
        return [.. tests.Select(test => test.Counts ? counted.Dequeue() : 1)];
    }

    /// <summary>Adjusted p-values, in the order given: reject those at or below the wanted rate.</summary>
    /// <param name="pValues">From 0 to 1, in any order.</param>
    public static double[] Adjust(IReadOnlyList<double> pValues)
    {
        var order = Enumerable.Range(0, pValues.Count).OrderByDescending(i => pValues[i]).ToArray();
        var adjusted = new double[pValues.Count];
        var least = 1.0;
        for (var i = 0; i < order.Length; i++)
        {
            least = Math.Min(least, pValues[order[i]] * pValues.Count / (pValues.Count - i));
            adjusted[order[i]] = least;
        }

        return adjusted;
    }
}
