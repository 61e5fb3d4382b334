using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Reporting.Findings;

/// <summary>Performance functions and group metrics in words. Unknown names are shown as they are, without a unit.</summary>
internal static class MetricText
{
    /// <summary>Unit of a performance function; empty where it has none.</summary>
    public static string UnitOf(string metric) => metric switch
    {
        _ when metric.StartsWith("log-likelihood", StringComparison.Ordinal) => "nats",
        _ when metric.StartsWith("margin", StringComparison.Ordinal) => "logits",
        _ => string.Empty,
    };

    public static string WithUnit(string metric) => UnitOf(metric) is { Length: > 0 } unit ? $"{metric} ({unit})" : metric;

    /// <summary>A space and the unit, to stand behind a number.</summary>
    public static string Suffix(string metric) => UnitOf(metric) is { Length: > 0 } unit ? " " + unit : string.Empty;

    /// <summary>What a performance function measures, in a sentence; null where it is not known here.</summary>
    public static string? Meaning(string metric) => metric switch
    {
        _ when metric.StartsWith("log-likelihood", StringComparison.Ordinal) =>
            "log-likelihood is the natural logarithm of the probability that the model gives the label (or the text), averaged over probe "
            + "rows.",
        _ when metric.StartsWith("margin", StringComparison.Ordinal) =>
            "margin is the label's logit less the largest other logit, averaged over probe rows.",
        _ when metric.StartsWith("subgroup-auc", StringComparison.Ordinal) =>
            "subgroup AUC is the area under the ROC curve within the group.",
        _ when metric.StartsWith("bpsn-auc", StringComparison.Ordinal) =>
            "BPSN AUC compares background positives with subgroup negatives: low where the group draws false positives.",
        _ when metric.StartsWith("bnsp-auc", StringComparison.Ordinal) =>
            "BNSP AUC compares background negatives with subgroup positives: low where the group draws false negatives.",
        _ when metric.StartsWith("worst-group-accuracy", StringComparison.Ordinal) =>
            "worst-group accuracy is the lowest accuracy over the groups' positive and negative rows.",
        _ => null,
    };

    /// <summary>A key of the metric dictionaries as a column heading.</summary>
    public static string Heading(string key) => key switch
    {
        "accuracy" => "Accuracy",
        "auc" => "AUC",
        "logLikelihood" => "Log-likelihood (nats)",
        "falsePositiveRate" => "FPR",
        "falseNegativeRate" => "FNR",
        "subgroupAuc" => "Subgroup AUC",
        "bpsnAuc" => "BPSN AUC",
        "bnspAuc" => "BNSP AUC",
        "worstGroupAccuracy" => "Worst-group accuracy",
        "finalScore" => "Final bias score",
        "positives" => "Positive rows",
        _ => key,
    };

    /// <summary>Known keys in the order in which an auditor reads them, others behind by name.</summary>
    public static IReadOnlyList<string> InOrder(IEnumerable<string> keys)
    {
        string[] known =
        [
            "subgroupAuc", "bpsnAuc", "bnspAuc", "falsePositiveRate", "falseNegativeRate", "accuracy", "worstGroupAccuracy", "auc",
            "finalScore", "logLikelihood", "positives",
        ];
        return keys
            .Distinct(StringComparer.Ordinal)
            .OrderBy(key => Array.IndexOf(known, key) is var index && index >= 0 ? index : known.Length)
            .ThenBy(key => key, StringComparer.Ordinal)
            .ToArray();
    }

    /// <summary>How an estimate was made: "replay, exact gradients", "adjoint".</summary>
    public static string Method(Estimator? estimator) => estimator switch
    {
        null => "certified",
        Estimator.Replay { Source: GradientSource.Sampled { Rho: var share } } =>
            $"replay, sampled gradients ({Markup.NumberText.Percent(share)} of each batch)",
        Estimator.Replay { Source: var source } => $"replay, {source} gradients",
        _ => $"{estimator}",
    };
}
