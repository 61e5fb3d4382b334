namespace LlmStageAudit.Records.Configuration;

/// <summary>The performance function of a probe. The group metrics need the probe's <c>groups</c>.</summary>
public enum MetricKind
{
    /// <summary>Natural log of the probability of the label, or of the text.</summary>
    LogLikelihood,

    /// <summary>The label's logit less the largest other logit.</summary>
    Margin,
    SubgroupAuc,
    BpsnAuc,
    BnspAuc,
    WorstGroupAccuracy,
}
