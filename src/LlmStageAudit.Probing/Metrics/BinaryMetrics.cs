using LlmStageAudit.Probing.Statistics;

namespace LlmStageAudit.Probing.Metrics;

/// <summary>
/// Metrics of a two-class decision, over all examples and per subgroup (Borkan et al., WWW 2019). With g a subgroup:
/// subgroup AUC ranks inside g; BPSN AUC ranks the background's positives above g's negatives (low: false positives on g);
/// BNSP AUC ranks g's positives above the background's negatives (low: false negatives on g). NaN where a class is absent.
/// </summary>
internal static class BinaryMetrics
{
    /// <summary>Exponent of the power mean over subgroups.</summary>
    private const double Power = -5;

    public static Dictionary<string, double> Of(IReadOnlyList<ScoredExample> examples) => new()
    {
        [MetricNames.Accuracy] = Share(examples, example => example.Correct),
        [MetricNames.Auc] = Auc(examples),
        [MetricNames.FalsePositiveRate] = Share([.. examples.Where(example => !example.Positive)], example => example.Flagged),
        [MetricNames.FalseNegativeRate] = Share([.. examples.Where(example => example.Positive)], example => !example.Flagged),
        [MetricNames.Positives] = examples.Count(example => example.Positive),
    };

    /// <summary>Metrics of one subgroup against its background.</summary>
    public static Dictionary<string, double> OfGroup(IReadOnlyList<ScoredExample> subgroup, IReadOnlyList<ScoredExample> background)
    {
        var metrics = Of(subgroup);
        metrics.Remove(MetricNames.Auc);
        metrics[MetricNames.SubgroupAuc] = Auc(subgroup);
        metrics[MetricNames.BpsnAuc] =
            Auc([.. background.Where(example => example.Positive), .. subgroup.Where(example => !example.Positive)]);
        metrics[MetricNames.BnspAuc] =
            Auc([.. background.Where(example => !example.Positive), .. subgroup.Where(example => example.Positive)]);
        return metrics;
    }

    /// <summary>The least accuracy over (subgroup, label) cells that hold examples (Koh et al. 2021); NaN where none does.</summary>
    public static double WorstGroupAccuracy(IEnumerable<IReadOnlyList<ScoredExample>> subgroups)
    {
        var cells = subgroups.SelectMany(subgroup => subgroup.GroupBy(example => example.Positive))
            .Select(cell => cell.Count(e => e.Correct) / (double)cell.Count());
        return cells.DefaultIfEmpty(double.NaN).Min();
    }

    /// <summary>
    /// 0.25 AUC + 0.25 of the power mean (p = -5) over subgroups of each of the three AUCs. Subgroups where one is undefined
    /// are left out of that mean.
    /// </summary>
    public static double FinalScore(double overallAuc, IReadOnlyList<IReadOnlyDictionary<string, double>> groups) =>
        0.25 * (overallAuc + PowerMean(groups, MetricNames.SubgroupAuc)
            + PowerMean(groups, MetricNames.BpsnAuc) + PowerMean(groups, MetricNames.BnspAuc));

    private static double PowerMean(IReadOnlyList<IReadOnlyDictionary<string, double>> groups, string metric)
    {
        var defined = groups.Select(group => group[metric]).Where(value => !double.IsNaN(value)).ToArray();
        return defined.Length == 0 ? double.NaN : Math.Pow(defined.Average(value => Math.Pow(value, Power)), 1 / Power);
    }

    private static double Auc(IReadOnlyList<ScoredExample> examples) =>
        AreaUnderCurve.Of([.. examples.Select(example => example.Score)], [.. examples.Select(example => example.Positive)]);

    private static double Share(IReadOnlyList<ScoredExample> examples, Func<ScoredExample, bool> test) =>
        examples.Count == 0 ? double.NaN : examples.Count(test) / (double)examples.Count;
}

/// <summary>
/// The chance that a positive scores above a negative, ties counting half: the area under the ROC curve, by the Mann-Whitney
/// statistic on midranks.
/// </summary>
public static class AreaUnderCurve
{
    /// <summary>From 0 to 1; one half where scores say nothing of the class.</summary>
    /// <param name="scores">One per example, any scale.</param>
    /// <param name="positives">The examples' classes.</param>
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

/// <summary>What group metrics need of an example.</summary>
/// <param name="Score">Higher means more positive; positive above 0 is the decision.</param>
/// <param name="Positive">The label.</param>
internal readonly record struct ScoredExample(double Score, bool Positive)
{
    public bool Flagged => Score > 0;

    public bool Correct => Flagged == Positive;
}

/// <summary>Keys of metrics in results.</summary>
public static class MetricNames
{
    /// <summary>The share of examples whose class is predicted.</summary>
    public const string Accuracy = "accuracy";
    internal const string Auc = "auc";

    /// <summary>The mean log-likelihood of labels or texts, in nats.</summary>
    public const string LogLikelihood = "logLikelihood";

    /// <summary>The share of negatives that are flagged.</summary>
    public const string FalsePositiveRate = "falsePositiveRate";
    internal const string FalseNegativeRate = "falseNegativeRate";

    /// <summary>The AUC within a subgroup.</summary>
    public const string SubgroupAuc = "subgroupAuc";
    internal const string BpsnAuc = "bpsnAuc";
    internal const string BnspAuc = "bnspAuc";
    internal const string WorstGroupAccuracy = "worstGroupAccuracy";
    internal const string FinalScore = "finalScore";
    internal const string Positives = "positives";
}
