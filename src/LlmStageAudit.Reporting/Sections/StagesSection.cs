using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Reporting.Charts;
using LlmStageAudit.Reporting.Findings;
using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>All stages (steps, batches, examples) by effect, per estimate, and the confounder rankings.</summary>
internal static class StagesSection
{
    private const int MaximumBars = 25;

    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        page.OpenSection("stages", "Which stages did it");
        if (findings.Effects.Count == 0)
        {
            page.Paragraph("Missing: effects. This estimates the effect of every stage on a probe:");
            page.Commands(findings.AttributeCommand);
        }

        for (var index = 0; index < findings.Effects.Count; index++)
        {
            WriteEstimate(page, findings, findings.Effects[index], "effects-" + (index + 1));
        }

        foreach (var ranking in findings.Rankings) WriteRanking(page, ranking);
        if (findings.Rankings.Count == 0)
        {
            page.Paragraph("Missing: a ranking. This orders the stages by how much each raised the reliance on a confounder:");
            page.Commands(Setting.Command(
                "rank", findings.RunArgument, (Setting.Probe, findings.ProbeArgument), (Setting.Confounder, "COLUMN")));
        }

        page.Close();
    }

    private static void WriteEstimate(MarkupWriter page, AuditFindings findings, EffectFinding finding, string id)
    {
        var effects = finding.Artifact;
        var measure = MetricText.WithUnit(effects.Metric) + (finding.Noun == "stage" ? string.Empty : " by " + finding.Noun);
        page.Open("h3").Text($"Probe {effects.Probe.Name}").Element("small", measure).Close();
        if (finding.Stages.Count == 0)
        {
            page.Paragraph("The estimate holds no rows.");
            return;
        }

        if (effects.Certification is { } certification)
        {
            page.Paragraph($"Under a budget: {certification.Finding}. {certification.Choice}.", "quiet");
        }

        if (finding.IsOfSteps) StepScores.Write(page, findings, finding, id);
        else if (finding.IsOfExamples) ExampleScores.Write(page, finding);
        else WriteStages(page, finding, id);
    }

    private static void WriteStages(MarkupWriter page, EffectFinding finding, string id)
    {
        var effects = finding.Artifact;
        var shown = finding.Largest(MaximumBars);
        var chart = new StageEffectChart
        {
            Id = id,
            Title = $"Effect of every {finding.Noun} on {effects.Metric}",
            Measure = $"effect on {MetricText.WithUnit(effects.Metric)}: observed minus counterfactual",
            Bars = shown.Select(stage => new StageBar
            {
                Stage = stage.Effect.Stage,
                Estimate = stage.Effect.Estimate,
                Low = stage.Effect.Low,
                High = stage.Effect.High,
                Measured = stage.Verified?.Measured,
                Fill = stage.Fill,
                Standing = stage.Standing,
            }).ToArray(),
        };
        var caption = PageParts.HowEstimated(effects) + (shown.Count < finding.Stages.Count
                ? $" The {NumberText.Count(shown.Count)} largest of {NumberText.Count(finding.Stages.Count)} are drawn."
                : string.Empty);
        page.Figure(chart.Render(), caption);
        WriteTable(page, finding);
    }

    private static void WriteTable(MarkupWriter page, EffectFinding finding)
    {
        string[] headings =
        [
            char.ToUpperInvariant(finding.Noun[0]) + finding.Noun[1..], PageParts.EffectHeading(finding.Artifact), "#Interval",
            "#Without it", "#Retrained", "Zero in interval", "Trust",
        ];
        var rows = finding.Stages.Select(stage => new TableCell[]
        {
            stage.Effect.Stage,
            NumberText.Signed(stage.Effect.Estimate),
            NumberText.Interval(stage.Effect.Low, stage.Effect.High),
            stage.Effect.Counterfactual is { } scores ? NumberText.Value(scores.Mean) : "–",
            stage.Verified is { } verified ? NumberText.Signed(verified.Measured) : "–",
            !stage.HasInterval ? "–" : stage.IsDistinguishable ? "no" : "yes",
            new(stage.Effect.Trust, stage.Effect.Evidence?.Reason),
        }).ToArray();
        page.Table($"Effects on {finding.Artifact.Metric}", headings, rows);
    }

    private static void WriteRanking(MarkupWriter page, RankingArtifact ranking)
    {
        page.Open("h3").Text($"Reliance on {ranking.Confounder}").Element("small", $"probe {ranking.Probe.Name}").Close();
        string[] headings = ["Stage", "#Score", "#Interval", "#Gap observed", "#Gap without it", "#p", "#Adjusted p", "Significant"];
        var rows = ranking.Ranking.Select(stage => new TableCell[]
        {
            stage.Stage,
            NumberText.Signed(stage.Score),
            NumberText.Interval(stage.Low, stage.High),
            NumberText.Value(stage.ObservedGap),
            NumberText.Value(stage.CounterfactualGap),
            NumberText.Probability(stage.PValue),
            NumberText.Probability(stage.AdjustedPValue),
            stage.Significant ? "yes" : "no",
        }).ToArray();
        page.Table($"Stages by how much each raised the reliance on {ranking.Confounder}", headings, rows);
        page.Paragraph(
            "Score: the gap of the model as trained less the gap without the stage. Adjusted p: Benjamini-Hochberg over the ranking.",
            "quiet");
        foreach (var note in ranking.Notes) page.Paragraph(note, "quiet");
    }
}
