using LlmStageAudit.Records.Effects;
using LlmStageAudit.Reporting.Charts;
using LlmStageAudit.Reporting.Findings;
using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>Group metrics of the model as trained and without the stage that the answer names.</summary>
internal static class GroupsSection
{
    private const string Positives = "positives";
    private const int MaximumColumns = 8;
    private const int MaximumGroups = 30;

    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        page.OpenSection("groups", "What it changed for each group");
        var shown = findings.Answers.Where(finding => finding.Artifact.Treatment.Level == "stage" && HasMetrics(finding.Artifact.Observed)).ToArray();
        if (shown.Length == 0)
        {
            page.Paragraph("Missing: group metrics. They are computed where a probe names identity columns (groups) and is attributed:");
            page.Commands(findings.AttributeCommand);
        }

        for (var index = 0; index < shown.Length; index++) WriteProbe(page, shown[index], "groups-" + (index + 1));
        page.Close();
    }

    private static bool HasMetrics(ProbeScores scores) => scores.Groups.Count > 0 || scores.Metrics.Count > 0;

    private static void WriteProbe(MarkupWriter page, EffectFinding finding, string id)
    {
        var effects = finding.Artifact;
        var stage = finding.Top?.Effect.Counterfactual is null ? null : finding.Top.Effect;
        var contrast = stage is null ? "as trained" : $"as trained, and what {stage.Stage} changed";
        page.Open("h3").Text($"Probe {effects.Probe.Name}").Element("small", contrast).Close();
        if (effects.Observed.Groups.Count > 0)
        {
            page.Figure(MapOf(effects.Observed, stage?.Counterfactual, id, contrast).Render(), Caption(effects.Observed, stage));
        }

        if (effects.Observed.Metrics.Count > 0) WriteTable(page, effects.Observed, stage);
    }

    private static GroupHeatMap MapOf(ProbeScores observed, ProbeScores? counterfactual, string id, string contrast)
    {
        var keys = Columns(observed).Take(MaximumColumns).ToArray();
        var others = (counterfactual?.Groups ?? []).ToLookup(group => group.Group, StringComparer.Ordinal);
        return new GroupHeatMap
        {
            Id = id,
            Title = "Metrics per group, " + contrast,
            Columns = keys.Select(MetricText.Heading).ToArray(),
            Rows = observed.Groups.Take(MaximumGroups).Select(group => RowOf(group, others[group.Group].FirstOrDefault(), keys)).ToArray(),
        };
    }

    private static HeatRow RowOf(GroupScores observed, GroupScores? counterfactual, IEnumerable<string> keys) => new(
        observed.Group,
        observed.Examples,
        PositivesOf(observed),
        keys.Select(key => new HeatCell(ValueOf(observed, key), ValueOf(counterfactual, key))).ToArray());

    private static IReadOnlyList<string> Columns(ProbeScores scores) =>
        MetricText.InOrder(scores.Groups.SelectMany(group => group.Metrics.Keys).Where(key => key != Positives));

    private static double? ValueOf(GroupScores? group, string key) =>
        group is not null && group.Metrics.TryGetValue(key, out var value) ? value : null;

    private static long? PositivesOf(GroupScores group) =>
        ValueOf(group, Positives) is { } count && Math.Abs(count) < 1e15 ? (long)count : null;

    private static string Caption(ProbeScores observed, StageEffect? stage)
    {
        var caption = "Rows of the probe that carry the identity. AUC: 1 is perfect, 0.5 is chance. BPSN AUC is low where the group draws "
            + "false positives, BNSP AUC where it draws false negatives. FPR and FNR: shares at the model’s own decision. NaN: the rows "
            + "hold one class only.";
        if (stage is not null)
        {
            caption += $" Large: the model as trained. Small: what {stage.Stage} changed, observed minus counterfactual; "
                + "▲ is higher because of the stage.";
        }

        var groups = observed.Groups.Count;
        if (groups > MaximumGroups) caption += $" The first {MaximumGroups} of {NumberText.Count(groups)} groups.";
        var columns = Columns(observed).Count;
        return columns <= MaximumColumns ? caption : caption + $" {MaximumColumns} of {NumberText.Count(columns)} metrics.";
    }

    private static void WriteTable(MarkupWriter page, ProbeScores observed, StageEffect? stage)
    {
        var without = stage?.Counterfactual?.Metrics;
        string[] headings = ["All rows", "#As trained"];
        if (stage is not null) headings = [.. headings, "#Without " + stage.Stage, "#Changed by it"];
        var rows = MetricText.InOrder(observed.Metrics.Keys).Select(key =>
        {
            var value = observed.Metrics[key];
            TableCell[] cells = [MetricText.Heading(key), NumberText.Value(value)];
            if (stage is null) return cells;
            return without is not null && without.TryGetValue(key, out var other)
                ? [.. cells, NumberText.Value(other), NumberText.Signed(value - other)]
                : [.. cells, "–", "–"];
        }).ToArray();
        page.Table("Metrics over all rows of the probe", headings, rows);
    }
}
