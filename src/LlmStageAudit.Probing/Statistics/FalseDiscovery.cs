namespace LlmStageAudit.Probing.Statistics;

/// <summary>Control of the false discovery rate over several tests (Benjamini, Hochberg 1995).</summary>
public static class FalseDiscovery
{
    /// <summary>The rate that is controlled at: of what is called significant, at most this share is luck, on average.</summary>
    public const double Rate = 0.05;

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
