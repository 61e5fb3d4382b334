using System.Text.Json.Serialization;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Choices;

/// <summary>The performance function of a probe.</summary>
[JsonConverter(typeof(ChoiceJson<Metric>))]
public abstract record Metric : IChoice<Metric>
{
    private static readonly ChoiceTable<Metric, string?> s_table = new(
        Setting.Probe,
        new("log-likelihood", typeof(LogLikelihood), [], column => new LogLikelihood(column)),
        new("margin", typeof(Margin), [], column => new Margin(column)),
        new("subgroup-auc", typeof(SubgroupAuc), [], group => new SubgroupAuc(group)),
        new("bpsn-auc", typeof(BpsnAuc), [], group => new BpsnAuc(group)),
        new("bnsp-auc", typeof(BnspAuc), [], group => new BnspAuc(group)),
        new("worst-group-accuracy", typeof(WorstGroupAccuracy), [], group => new WorstGroupAccuracy(group)));

    private Metric(string? column, bool ofGroups) => (Column, IsOfGroups) = (column, ofGroups);

    /// <summary>Every spelling, without columns.</summary>
    public static IReadOnlyList<string> Names => s_table.Names;

    /// <summary>How the case is spelled, without its column.</summary>
    public string Name => s_table.NameOf(this);

    /// <summary>
    /// Column or expression measured in place of the probe's label (a confounder); for a metric of groups the group. Null: the label, all
    /// groups.
    /// </summary>
    public string? Column { get; }

    /// <summary>Whether it compares groups, needs the probe's <c>groups</c>, and so is no mean over examples.</summary>
    public bool IsOfGroups { get; }

    /// <summary>The metric of that name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="column">As <see cref="Column"/>.</param>
    /// <exception cref="ConfigurationException">No such metric.</exception>
    public static Metric Of(string name, string? column = null) => s_table.Of(name, column);

    /// <inheritdoc/>
    public static Metric Parse(string text) =>
        text.IndexOf('(') is var open and > 0 && text.EndsWith(')') ? Of(text[..open], text[(open + 1)..^1]) : Of(text);

    /// <summary>As results name it: log-likelihood, log-likelihood(christian), subgroup-auc.</summary>
    public sealed override string ToString() => Column is { } column ? $"{Name}({column})" : Name;

    /// <summary>Natural log of the probability of the label, or of the text.</summary>
    public sealed record LogLikelihood(string? Column = null) : Metric(Column, ofGroups: false);

    /// <summary>The label's logit less the largest other logit.</summary>
    public sealed record Margin(string? Column = null) : Metric(Column, ofGroups: false);

    /// <summary>ROC AUC over the rows of the group.</summary>
    public sealed record SubgroupAuc(string? Column = null) : Metric(Column, ofGroups: true);

    /// <summary>ROC AUC over positive rows of the background and negative rows of the group (Borkan et al. 2019).</summary>
    public sealed record BpsnAuc(string? Column = null) : Metric(Column, ofGroups: true);

    /// <summary>ROC AUC over negative rows of the background and positive rows of the group (Borkan et al. 2019).</summary>
    public sealed record BnspAuc(string? Column = null) : Metric(Column, ofGroups: true);

    /// <summary>The least accuracy over pairs of group and label (Koh et al. 2021).</summary>
    public sealed record WorstGroupAccuracy(string? Column = null) : Metric(Column, ofGroups: true);
}
