namespace LlmStageAudit.Records.Configuration;

/// <summary>A performance function, and the column it looks at.</summary>
public sealed record MetricSection
{
    /// <summary>The performance function.</summary>
    public MetricKind Kind { get; init; } = MetricKind.LogLikelihood;

    /// <summary>
    /// Column or expression measured in place of the probe's label (a confounder); for a group metric the group. Null: the label, all
    /// groups.
    /// </summary>
    public string? Column { get; init; }
}

/// <summary>The performance function of a probe. The group metrics need the probe's <c>groups</c>.</summary>
public enum MetricKind
{
    /// <summary>Natural log of the probability of the label, or of the text.</summary>
    LogLikelihood,

    /// <summary>The label's logit less the largest other logit.</summary>
    Margin,
    /// <summary>ROC AUC over the rows of the group.</summary>
    SubgroupAuc,
    /// <summary>ROC AUC over positive rows of the background and negative rows of the group (Borkan et al. 2019).</summary>
    BpsnAuc,
    /// <summary>ROC AUC over negative rows of the background and positive rows of the group (Borkan et al. 2019).</summary>
    BnspAuc,
    /// <summary>The least accuracy over pairs of group and label (Koh et al. 2021).</summary>
    WorstGroupAccuracy,
}
