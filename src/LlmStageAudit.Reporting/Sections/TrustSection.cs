using LlmStageAudit.Records.Effects;
using LlmStageAudit.Reporting.Findings;
using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>How far each effect is to be relied on, on what grounds, and what would settle those of low trust.</summary>
internal static class TrustSection
{
    private const int Commands = 5;

    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        var shown = findings.Effects.Where(finding => finding.Stages.Count > 0).ToArray();
        if (shown.Length == 0) return;
        page.OpenSection("trust", "How far to trust it");
        page.Paragraph(
            "Checks made while estimating: at a few steps the estimated gradient is held against the true one, and what they differ by is "
            + "carried to the end of the run. The terms are explained below.");
        foreach (var finding in shown) WriteEstimate(page, finding);
        page.Close();
    }

    private static void WriteEstimate(MarkupWriter page, EffectFinding finding)
    {
        var effects = finding.Artifact;
        page.Open("h3").Text($"Probe {effects.Probe.Name}");
        page.Element("small", $"{MetricText.Method(effects.Estimator)}, by {finding.Noun}").Close();
        var groups = finding.TrustGroups;
        if (groups.All(group => group.Evidence is null))
        {
            var grades = string.Join(", ", groups.Select(group => $"{group.Grade} ({finding.Counted(group.Effects.Count)})"));
            page.Paragraph($"The file says no more than the grades: {grades}. Estimating again files what they rest on.");
            return;
        }

        string[] headings =
        [
            "Effect of", "Trust", "#Predicted error", "#Gradient mismatch", "#Linearity gap", "#Growth", "#Checks",
        ];
        var rows = groups.Select(group => new TableCell[]
        {
            NameOf(finding, group),
            new(group.Grade, group.Evidence?.Reason ?? "the file does not say why"),
            NumberText.Share(group.Evidence?.PredictedError),
            NumberText.Share(group.Evidence?.GradientMismatch),
            NumberText.Share(group.Evidence?.LinearityGap),
            group.Evidence?.Growth is { } growth ? NumberText.Value(growth, 3) : "–",
            group.Evidence is { } evidence ? NumberText.Count(evidence.Checks) : "–",
        }).ToArray();
        page.Table($"What the trust in the effects on {effects.Metric} rests on", headings, rows);
        WriteSettlements(page, finding, groups);
    }

    private static void WriteSettlements(MarkupWriter page, EffectFinding finding, IReadOnlyList<TrustGroup> groups)
    {
        var open = groups.Where(group => group.Evidence is { Settle.Length: > 0 }).ToArray();
        foreach (var group in open.OrderByDescending(group => group.Effects.Max(effect => effect.Size)).Take(Commands))
        {
            page.Open("p").Text("This would settle the effect of ").Element("strong", NameOf(finding, group));
            page.Text(CostOf(group.Evidence!) + ":").Close();
            page.Commands(group.Evidence!.Settle!);
        }

        if (open.Length > Commands)
        {
            page.Paragraph(
                $"The {Commands} largest of {NumberText.Count(open.Length)} to be settled; the effects file has the others.", "quiet");
        }
    }

    private static string CostOf(TrustEvidence evidence) =>
        evidence.SettleGradientEquivalents is { } cost ? $", at the cost of {NumberText.Value(cost)} gradients of one batch" : string.Empty;

    private static string NameOf(EffectFinding finding, TrustGroup group) =>
        group.Effects.Count == 1 ? group.Effects[0].Label
        : group.Effects.Count == finding.Stages.Count ? $"all {finding.Counted(group.Effects.Count)}"
        : finding.Counted(group.Effects.Count);
}
