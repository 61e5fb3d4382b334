namespace LlmStageAudit.Records.Configuration;

public sealed record MetricSection
{
    public MetricKind Kind { get; init; } = MetricKind.LogLikelihood;

    /// <summary>
    /// Column or expression measured in place of the probe's label (a confounder); for a group metric the group. Null: the label, all
    /// groups.
    /// </summary>
    public string? Column { get; init; }
}
