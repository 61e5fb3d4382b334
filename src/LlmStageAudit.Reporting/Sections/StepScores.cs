using LlmStageAudit.Reporting.Charts;
using LlmStageAudit.Reporting.Findings;
using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>Effects of single steps or batches: over the run, and the largest as a table.</summary>
internal static class StepScores
{
    private const int Listed = 10;

    public static void Write(MarkupWriter page, AuditFindings findings, EffectFinding finding, string id)
    {
        var effects = finding.Artifact;
        var chart = new StepEffectChart
        {
            Id = id,
            Title = $"Effect of every {finding.Noun} on {effects.Metric}, over the run",
            Measure = $"effect on {MetricText.WithUnit(effects.Metric)}",
            Bars =
            [
                .. finding.Stages.OrderBy(stage => stage.Effect.FirstStep)
                    .Select(stage => new StepBar(stage.Effect.FirstStep!.Value, stage.Effect.Estimate, stage.Fill)),
            ],
            Bands = findings.Bands,
            Rates = [.. findings.Inputs.Steps.Select(step => (step.Step, step.LearningRate))],
        };
        var what = finding.Noun == "batch"
            ? "One bar per step: what the gradient of its batch alone changed; the update’s momentum and decay go on. "
            : "One bar per step: what this one update changed. ";
        var thinned = chart.IsThinned
            ? $" Of {NumberText.Count(chart.Bars.Count, "step")}, the most raising and the most lowering one of each "
                + $"{NumberText.Count(chart.StepsTogether)} neighbours are drawn."
            : string.Empty;
        page.Figure(chart.Render(), what + PageParts.HowEstimated(effects) + thinned);
        WriteTable(page, findings, finding);
    }

    private static void WriteTable(MarkupWriter page, AuditFindings findings, EffectFinding finding)
    {
        var bands = findings.Bands;
        var rates = findings.Inputs.Steps.GroupBy(step => step.Step).ToDictionary(group => group.Key, group => group.First().LearningRate);
        string[] headings =
        [
            char.ToUpperInvariant(finding.Noun[0]) + finding.Noun[1..], "In stage", PageParts.EffectHeading(finding.Artifact), "#Interval",
            "#Learning rate", "Trust",
        ];
        var largest = finding.Stages.OrderByDescending(stage => stage.Size).Take(Listed).ToArray();
        var rows = largest.Select(stage =>
        {
            var step = stage.Effect.FirstStep!.Value;
            return new TableCell[]
            {
                stage.Effect.Stage,
                bands.FirstOrDefault(band => step >= band.FirstStep && step <= band.LastStep)?.Stage ?? "–",
                NumberText.Signed(stage.Effect.Estimate),
                NumberText.Interval(stage.Effect.Low, stage.Effect.High),
                rates.TryGetValue(step, out var rate) ? NumberText.Value(rate, 3) : "–",
                stage.Effect.Trust,
            };
        }).ToArray();
        page.Table($"The {finding.Counted(largest.Length)} with the largest effects on {finding.Artifact.Metric}", headings, rows);
        if (largest.Length < finding.Stages.Count)
        {
            page.Paragraph($"The {NumberText.Count(largest.Length)} largest of {finding.Counted(finding.Stages.Count)}.", "quiet");
        }
    }
}
