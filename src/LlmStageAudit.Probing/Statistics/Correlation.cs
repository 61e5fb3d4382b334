namespace LlmStageAudit.Probing.Statistics;

/// <summary>How two lists of numbers, estimated and measured, agree.</summary>
public static class Correlation
{
    /// <summary>Pearson's r; NaN where a list is constant or shorter than two.</summary>
    public static double Pearson(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        if (x.Count != y.Count) throw new ArgumentException($"{x.Count} values against {y.Count}", nameof(y));
        if (x.Count < 2) return double.NaN;
        var (meanX, meanY) = (x.Average(), y.Average());
        double xy = 0, xx = 0, yy = 0;
        for (var i = 0; i < x.Count; i++)
        {
            var (dx, dy) = (x[i] - meanX, y[i] - meanY);
            xy += dx * dy;
            xx += dx * dx;
            yy += dy * dy;
        }

        return xx == 0 || yy == 0 ? double.NaN : xy / Math.Sqrt(xx * yy);
    }

    /// <summary>Spearman's rho: Pearson's r of midranks.</summary>
    public static double Spearman(IReadOnlyList<double> x, IReadOnlyList<double> y) => Pearson(Ranks.Mid(x), Ranks.Mid(y));

    /// <summary>||estimate - measured|| / ||measured||; 0 where both are zero.</summary>
    public static double RelativeError(IReadOnlyList<double> estimate, IReadOnlyList<double> measured)
    {
        var difference = Math.Sqrt(estimate.Zip(measured, (e, m) => (e - m) * (e - m)).Sum());
        return difference == 0 ? 0 : difference / Math.Sqrt(measured.Sum(m => m * m));
    }
}

/// <summary>Ranks from 1, ties sharing the middle of theirs.</summary>
public static class Ranks
{
    /// <summary>The rank of each value, in the order given.</summary>
    public static double[] Mid(IReadOnlyList<double> values)
    {
        var order = Enumerable.Range(0, values.Count).OrderBy(i => values[i]).ToArray();
        var ranks = new double[values.Count];
        for (var start = 0; start < order.Length;)
        {
            var end = start + 1;
            while (end < order.Length && values[order[end]].Equals(values[order[start]])) end++;
            for (var i = start; i < end; i++) ranks[order[i]] = (start + 1 + end) / 2.0;
            start = end;
        }

        return ranks;
    }
}
