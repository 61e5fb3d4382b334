using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Reporting.Findings;

/// <summary>Performance functions and group metrics in words. Unknown names are shown as they are, without a unit.</summary>
internal static class MetricText
{
    // How names begin, a unit and a meaning; a column or group may follow the name.
    private static readonly (string Name, string? Unit, string? Meaning)[] Functions =
    [
        ("log-likelihood", "nats", "Log-likelihood is the natural logarithm of the probability that the model gives the label (or the "
            + "text), averaged over probe rows."),
        ("margin", "logits", "Margin is the label's logit less the largest other logit, averaged over probe rows."),
        ("subgroup-auc", null, "Subgroup AUC is the area under the ROC curve within the group."),
        ("bpsn-auc", null, "BPSN AUC compares background positives with subgroup negatives: low where the group draws false positives."),
        ("bnsp-auc", null, "BNSP AUC compares background negatives with subgroup positives: low where the group draws false negatives."),
        ("worst-group-accuracy", null, "Worst-group accuracy is the lowest accuracy over the groups' positive and negative rows."),
    ];

    // Keys of the metric dictionaries in the order in which an auditor reads them.
    private static readonly (string Key, string Heading)[] Columns =
    [
        ("subgroupAuc", "Subgroup AUC"),
        ("bpsnAuc", "BPSN AUC"),
        ("bnspAuc", "BNSP AUC"),
        ("falsePositiveRate", "FPR"),
        ("falseNegativeRate", "FNR"),
        ("accuracy", "Accuracy"),
        ("worstGroupAccuracy", "Worst-group accuracy"),
        ("auc", "AUC"),
        ("finalScore", "Final bias score"),
        ("logLikelihood", "Log-likelihood (nats)"),
        ("positives", "Positive rows"),
    ];

    /// <summary>A space and the unit in brackets, to stand behind a name; empty where there is none.</summary>
    public static string UnitInBrackets(string metric) => Of(metric).Unit is { } unit ? $" ({unit})" : string.Empty;

    /// <summary>A space and the unit, to stand behind a number; empty where there is none.</summary>
    public static string Suffix(string metric) => Of(metric).Unit is { } unit ? " " + unit : string.Empty;

    /// <summary>What a performance function measures, in a sentence; null where it is not known here.</summary>
    public static string? Meaning(string metric) => Of(metric).Meaning;

    /// <summary>A key of the metric dictionaries as a column heading.</summary>
    public static string Heading(string key) => Columns.FirstOrDefault(column => column.Key == key).Heading ?? key;

    /// <summary>Known keys in reading order, others behind by name.</summary>
    public static IReadOnlyList<string> InOrder(IEnumerable<string> keys) =>
    [
        .. keys.Distinct(StringComparer.Ordinal)
            .OrderBy(key => (uint)Array.FindIndex(Columns, column => column.Key == key))
            .ThenBy(key => key, StringComparer.Ordinal),
    ];

    /// <summary>How an estimate was made: "replay, exact gradients", "adjoint".</summary>
    public static string Method(Estimator? estimator) => estimator switch
    {
        null => "certified",
        Estimator.Replay { Source: GradientSource.Sampled { Rho: var share } } =>
            $"replay, sampled gradients ({NumberText.Percent(share)} of each batch)",
        Estimator.Replay { Source: var source } => $"replay, {source} gradients",
        _ => $"{estimator}",
    };

    private static (string Name, string? Unit, string? Meaning) Of(string metric) =>
        Functions.FirstOrDefault(function => metric.StartsWith(function.Name, StringComparison.Ordinal));
}
