using LlmStageAudit.Reporting.Findings;
using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>Effects of single training examples: both ends of their order, by id; a page shows no training text.</summary>
internal static class ExampleScores
{
    private const int Listed = 10;

    public static void Write(MarkupWriter page, EffectFinding finding)
    {
        // In the order of the finding: from the most raising down, what could not be computed last.
        var finite = finding.Stages.Where(stage => double.IsFinite(stage.Effect.Estimate)).ToArray();
        var top = finite.Take(Listed).ToArray();
        var bottom = finite.Skip(top.Length).TakeLast(Listed).Reverse().ToArray();
        page.Paragraph(
            $"{finding.Counted(finding.Stages.Count)} of the training sets, over all batches that each was in. "
            + PageParts.HowEstimated(finding.Artifact));
        WriteTable(page, finding, $"The {finding.Counted(top.Length)} with the highest effects on {finding.Artifact.Metric}", top);
        if (bottom.Length > 0)
        {
            WriteTable(page, finding, $"The {finding.Counted(bottom.Length)} with the lowest effects on {finding.Artifact.Metric}", bottom);
        }

        var missing = finding.Stages.Count - finite.Length;
        if (missing > 0) page.Paragraph($"{finding.Counted(missing)} not computable.", "quiet");
    }

    private static void WriteTable(MarkupWriter page, EffectFinding finding, string caption, IReadOnlyList<StageFinding> shown)
    {
        if (shown.Count == 0) return;
        page.Paragraph(caption + ":", "quiet");
        page.Table(
            caption,
            ["Example", "In stage", PageParts.EffectHeading(finding.Artifact), "Direction", "Trust"],
            [
                .. shown.Select(stage => new TableCell[]
                {
                    stage.Effect.Example!,
                    stage.Effect.Stage,
                    NumberText.Signed(stage.Effect.Estimate),
                    stage.Effect.Estimate switch { > 0 => "▲ raised", < 0 => "▼ lowered", _ => "no change" },
                    stage.Effect.Trust,
                }),
            ]);
    }
}
