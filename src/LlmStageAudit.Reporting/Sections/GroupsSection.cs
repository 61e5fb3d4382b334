using LlmStageAudit.Records.Effects;
using LlmStageAudit.Reporting.Charts;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>Group metrics of the model as trained and without the stage that the answer names.</summary>
internal static class GroupsSection
{
    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        var shown = findings.Answers
            .Where(finding => finding.Noun == "stage" && finding.Artifact.Observed is { Groups.Count: > 0 } or { Metrics.Count: > 0 })
            .ToArray();
        if (shown.Length == 0)
        {
            page.Missing(
                "Missing: group metrics. They are computed where a probe names identity columns (groups) and is attributed:",
                findings.AttributeCommand);
        }

        foreach (var (index, finding) in shown.Index()) WriteProbe(page, finding, $"groups-{index + 1}");
    }

    private static void WriteProbe(MarkupWriter page, EffectFinding finding, string id)
    {
        var observed = finding.Artifact.Observed;
        var stage = finding.Top?.Effect is { Counterfactual: not null } effect ? effect : null;
        var contrast = stage is null ? "as trained" : $"as trained, and what {stage.Stage} changed";
        page.Subheading($"Probe {finding.Artifact.Probe.Name}", contrast);
        if (observed.Groups.Count > 0)
        {
            var map = new GroupHeatMap(id, "Metrics per group, " + contrast, observed, stage?.Counterfactual);
            page.Figure(map.Render(), Caption(observed, stage));
        }

        if (observed.Metrics.Count > 0) WriteTable(page, observed.Metrics, stage);
    }

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

        var (groups, columns) = (observed.Groups.Count, GroupHeatMap.MetricsOf(observed).Count);
        if (groups > GroupHeatMap.MaximumGroups)
            caption += $" The first {GroupHeatMap.MaximumGroups} of {NumberText.Count(groups)} groups.";
        if (columns > GroupHeatMap.MaximumColumns)
            caption += $" {GroupHeatMap.MaximumColumns} of {NumberText.Count(columns)} metrics.";
        return caption;
    }

    private static void WriteTable(MarkupWriter page, IReadOnlyDictionary<string, double> observed, StageEffect? stage)
    {
        List<(string, Func<string, TableCell>)> columns =
            [("All rows", key => MetricText.Heading(key)), ("#As trained", key => NumberText.Value(observed[key]))];
        if (stage?.Counterfactual?.Metrics is { } without)
        {
            columns.Add(($"#Without {stage.Stage}", key => without.TryGetValue(key, out var other) ? NumberText.Value(other) : "–"));
            columns.Add(
                ("#Changed by it", key => without.TryGetValue(key, out var other) ? NumberText.Signed(observed[key] - other) : "–"));
        }

        page.Table("Metrics over all rows of the probe", MetricText.InOrder(observed.Keys), [.. columns]);
    }
}
