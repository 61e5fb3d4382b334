namespace LlmStageAudit.Probing.Metrics;

/// <summary>
/// Metrics of a two-class decision, over all examples and per subgroup (Borkan et al., WWW 2019). With g a subgroup:
/// subgroup AUC ranks inside g; BPSN AUC ranks the background's positives above g's negatives (low: false positives on g);
/// BNSP AUC ranks g's positives above the background's negatives (low: false negatives on g). NaN where a class is absent.
/// </summary>
public static class BinaryMetrics
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
