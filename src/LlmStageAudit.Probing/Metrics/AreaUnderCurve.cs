using LlmStageAudit.Probing.Statistics;

namespace LlmStageAudit.Probing.Metrics;

/// <summary>
/// The chance that a positive scores above a negative, ties counting half: the area under the ROC curve, by the Mann-Whitney
/// statistic on midranks.
/// </summary>
public static class AreaUnderCurve
{
    /// <returns>NaN where one class is absent.</returns>
    public static double Of(IReadOnlyList<double> scores, IReadOnlyList<bool> positives)
    {
        var positiveCount = positives.Count(positive => positive);
        var negativeCount = positives.Count - positiveCount;
        if (positiveCount == 0 || negativeCount == 0) return double.NaN;
        var rankSum = Ranks.Mid(scores).Where((_, i) => positives[i]).Sum();
        return (rankSum - (positiveCount * (positiveCount + 1) / 2.0)) / ((double)positiveCount * negativeCount);
    }
}
