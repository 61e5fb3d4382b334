using TrustGroup = System.Linq.IGrouping<
    (string Trust, LlmStageAudit.Records.Effects.TrustEvidence? Evidence), LlmStageAudit.Reporting.Findings.StageFinding>;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>How far each effect is to be relied on, on what grounds, and what would settle those that are not.</summary>
internal static class TrustSection
{
    private const int Commands = 5;

    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        var shown = findings.Effects.Where(finding => finding.Stages.Count > 0).ToArray();
        if (shown.Length == 0) return;
        page.Paragraph(
            "Checks made while estimating: at a few steps the estimated gradient is held against the true one, and what they differ by is "
            + "carried to the end of the run. The terms are explained below.");
        foreach (var finding in shown) WriteEstimate(page, finding);
    }

    private static void WriteEstimate(MarkupWriter page, EffectFinding finding)
    {
        var effects = finding.Artifact;
        page.Subheading($"Probe {effects.Probe.Name}", $"{MetricText.Method(effects.Estimator)}, by {finding.Noun}");
        var groups = finding.Stages.GroupBy(stage => (stage.Trust, stage.Effect.Evidence)).ToArray();
        if (groups.All(group => group.Key.Evidence is null))
        {
            var grades = string.Join(", ", groups.Select(group => $"{group.Key.Trust} ({finding.Counted(group.Count())})"));
            page.Paragraph($"The file says no more than the grades: {grades}. Estimating again files what they rest on.");
            return;
        }

        page.Table(
            $"What the trust in the effects on {effects.Metric} rests on",
            groups,
            ("Effect of", group => NameOf(finding, group)),
            ("Trust", group => new(group.Key.Trust, group.Key.Evidence?.Reason ?? "the file does not say why")),
            ("#Predicted error", group => NumberText.Share(group.Key.Evidence?.PredictedError)),
            ("#Gradient mismatch", group => NumberText.Share(group.Key.Evidence?.GradientMismatch)),
            ("#Linearity gap", group => NumberText.Share(group.Key.Evidence?.LinearityGap)),
            ("#Growth", group => group.Key.Evidence?.Growth is { } growth ? NumberText.Value(growth, 3) : "–"),
            ("#Checks", group => group.Key.Evidence is { } evidence ? NumberText.Count(evidence.Checks) : "–"));

        var open = groups.Where(group => group.Key.Evidence is { Settle.Length: > 0 }).ToArray();
        foreach (var group in open.OrderByDescending(group => group.Max(effect => effect.Size)).Take(Commands))
        {
            var cost = group.Key.Evidence!.SettleGradientEquivalents is { } gradients
                ? $", at the cost of {NumberText.Value(gradients)} gradients of one batch:"
                : ":";
            page.Open("p").Text($"This would settle the effect of {NameOf(finding, group):strong}{cost}").Close();
            page.Commands(group.Key.Evidence.Settle!);
        }

        if (open.Length <= Commands) return;
        page.Paragraph(
            $"The {Commands} largest of {NumberText.Count(open.Length)} to be settled; the effects file has the others.", "quiet");
    }

    private static string NameOf(EffectFinding finding, TrustGroup group) =>
        group.Count() == 1 ? group.First().Label
        : group.Count() == finding.Stages.Count ? $"all {finding.Counted(group.Count())}"
        : finding.Counted(group.Count());
}
