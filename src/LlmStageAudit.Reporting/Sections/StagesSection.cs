using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Reporting.Charts;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>All stages (steps, batches, examples) by effect, per estimate, and the confounder rankings.</summary>
internal static class StagesSection
{
    private const int MaximumBars = 25;
    private const int ListedSteps = 10;
    private const int ListedExamples = 10;

    private static readonly (string Heading, Func<StageFinding, TableCell> Cell) IntervalColumn =
        ("#Interval", stage => NumberText.Interval(stage.Effect.Low, stage.Effect.High));

    private static readonly (string Heading, Func<StageFinding, TableCell> Cell) TrustColumn =
        ("Trust", stage => new(stage.Trust, stage.Standing.VerifiedWith is null ? null : stage.Reason));

    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        if (findings.Effects.Count == 0)
        {
            page.Missing("Missing: effects. This estimates the effect of every stage on a probe:", findings.AttributeCommand);
        }

        foreach (var (index, finding) in findings.Effects.Index()) WriteEstimate(page, findings, finding, $"effects-{index + 1}");
        foreach (var ranking in findings.Rankings) WriteRanking(page, ranking);
        if (findings.Rankings.Count == 0)
        {
            page.Missing(
                "Missing: a ranking. This orders the stages by how much each raised the reliance on a confounder:",
                Setting.Command("rank", findings.RunArgument, (Setting.Probe, findings.ProbeArgument), (Setting.Confounder, "COLUMN")));
        }
    }

    private static void WriteEstimate(MarkupWriter page, AuditFindings findings, EffectFinding finding, string id)
    {
        var effects = finding.Artifact;
        var level = finding.Noun == "stage" ? string.Empty : " by " + finding.Noun;
        page.Subheading($"Probe {effects.Probe.Name}", effects.Metric + MetricText.UnitInBrackets(effects.Metric) + level);
        if (finding.Stages.Count == 0)
        {
            page.Paragraph("The estimate holds no rows.");
            return;
        }

        if (effects.Certification is { } certification)
        {
            page.Paragraph($"Under a budget: {certification.Finding}. {certification.Choice}.", "quiet");
        }

        if (finding.Noun is "step" or "batch" && finding.Stages.All(stage => stage.Effect.FirstStep is not null))
            WriteSteps(page, findings, finding, id);
        else if (finding.Noun == "example" && finding.Stages.All(stage => stage.Effect.Example is not null)) WriteExamples(page, finding);
        else WriteStages(page, finding, id);
    }

    private static void WriteStages(MarkupWriter page, EffectFinding finding, string id)
    {
        var metric = finding.Artifact.Metric;
        var measure = $"effect on {metric}{MetricText.UnitInBrackets(metric)}: observed minus counterfactual";
        var largest = finding.Stages.Index().OrderByDescending(row => row.Item.Size).Take(MaximumBars).OrderBy(row => row.Index);
        var chart = new StageEffectChart(id, $"Effect of every {finding.Noun} on {metric}", measure, [.. largest.Select(row => row.Item)]);
        var left = finding.Stages.Count > MaximumBars
            ? $" The {MaximumBars} largest of {NumberText.Count(finding.Stages.Count)} are drawn."
            : string.Empty;
        page.Figure(chart.Render(), HowEstimated(finding.Artifact) + left);
        page.Table(
            $"Effects on {metric}",
            finding.Stages,
            (finding.Heading, stage => stage.Effect.Stage),
            EffectColumn(finding),
            IntervalColumn,
            ("#Without it", stage => stage.Effect.Counterfactual is { } scores ? NumberText.Value(scores.Mean) : "–"),
            ("#Retrained", stage => stage.Measured is { } measured ? NumberText.Signed(measured) : "–"),
            ("Significant in this run", stage =>
                stage.Effect.Significant is { } significant ? EnumSpelling<Significance>.Of(significant) : "–"),
            ("This data does that", stage => OverSeedsOf(stage.Effect.OverSeeds)),
            ("Zero in interval", stage => !stage.HasInterval ? "–" : stage.ExcludesZero ? "no" : "yes"),
            ("Trust", stage => new(stage.Trust, stage.Reason)));
    }

    private static void WriteSteps(MarkupWriter page, AuditFindings findings, EffectFinding finding, string id)
    {
        var metric = finding.Artifact.Metric;
        var bands = findings.Bands;
        var chart = new StepEffectChart(
            id,
            $"Effect of every {finding.Noun} on {metric}, over the run",
            $"effect on {metric}{MetricText.UnitInBrackets(metric)}",
            [.. finding.Stages.OrderBy(stage => stage.Step)])
        {
            Bands = bands,
            Steps = findings.Inputs.Steps,
        };
        var what = finding.Noun == "batch"
            ? "One bar per step: what the gradient of its batch alone changed; the update’s momentum and decay go on. "
            : "One bar per step: what this one update changed. ";
        var thinned = chart.IsThinned
            ? $" Of {NumberText.Count(chart.Bars.Count, "step")}, the most raising and the most lowering one of each "
                + $"{NumberText.Count(chart.StepsTogether)} neighbours are drawn."
            : string.Empty;
        page.Figure(chart.Render(), what + HowEstimated(finding.Artifact) + thinned);

        var steps = findings.Inputs.Steps.ToLookup(step => step.Step);
        var largest = finding.Stages.OrderByDescending(stage => stage.Size).Take(ListedSteps).ToArray();
        page.Table(
            $"The {finding.Counted(largest.Length)} with the largest effects on {metric}",
            largest,
            (finding.Heading, stage => stage.Effect.Stage),
            ("In stage", stage => bands.FirstOrDefault(band => band.Holds(stage.Step))?.Stage ?? "–"),
            EffectColumn(finding),
            IntervalColumn,
            ("#Learning rate", stage => steps[stage.Step].FirstOrDefault() is { } step ? NumberText.Value(step.LearningRate, 3) : "–"),
            TrustColumn);
        if (largest.Length == finding.Stages.Count) return;
        page.Paragraph($"The {NumberText.Count(largest.Length)} largest of {finding.Counted(finding.Stages.Count)}.", "quiet");
    }

    // Both ends of the order, by id; a page shows no training text.
    private static void WriteExamples(MarkupWriter page, EffectFinding finding)
    {
        // In the order of the finding: from the most raising down, what could not be computed last.
        var finite = finding.Stages.Where(stage => double.IsFinite(stage.Estimate)).ToArray();
        page.Paragraph(
            $"{finding.Counted(finding.Stages.Count)} of the training sets, over all batches that each was in. "
            + HowEstimated(finding.Artifact));
        WriteExamples(page, finding, "highest", [.. finite.Take(ListedExamples)]);
        WriteExamples(page, finding, "lowest", [.. finite.Skip(ListedExamples).TakeLast(ListedExamples).Reverse()]);
        var missing = finding.Stages.Count - finite.Length;
        if (missing > 0) page.Paragraph($"{finding.Counted(missing)} not computable.", "quiet");
    }

    private static void WriteExamples(MarkupWriter page, EffectFinding finding, string which, IReadOnlyList<StageFinding> shown)
    {
        if (shown.Count == 0) return;
        var caption = $"The {finding.Counted(shown.Count)} with the {which} effects on {finding.Artifact.Metric}";
        page.Paragraph(caption + ":", "quiet");
        page.Table(
            caption,
            shown,
            ("Example", stage => stage.Effect.Example!),
            ("In stage", stage => stage.Effect.Stage),
            EffectColumn(finding),
            ("Direction", stage => stage.Direction),
            TrustColumn);
    }

    // What an estimate's numbers are means of, and how it was made.
    private static string HowEstimated(EffectsArtifact effects) =>
        $"Mean over {NumberText.Count(effects.Probe.Examples, "probe row")}; the model as trained scores "
        + $"{NumberText.Value(effects.Observed.Mean)}{MetricText.Suffix(effects.Metric)}. "
        + $"Estimated by {MetricText.Method(effects.Estimator)}; treatment: {effects.Treatment.Kind}.";

    private static void WriteRanking(MarkupWriter page, RankingArtifact ranking)
    {
        page.Subheading(
            $"Reliance on {ranking.Confounder}",
            $"probe {ranking.Probe.Name}" + (ranking.Effects is { } effects ? $", {MetricText.Method(effects.Estimator)}" : string.Empty));
        page.Table(
            $"Stages by how much each raised the reliance on {ranking.Confounder}",
            ranking.Ranking,
            ("Stage", stage => stage.Stage),
            ("#Score", stage => NumberText.Signed(stage.Score)),
            ("#Interval", stage => NumberText.Interval(stage.Low, stage.High)),
            ("#Gap observed", stage => NumberText.Value(stage.ObservedGap)),
            ("#Gap without it", stage => NumberText.Value(stage.CounterfactualGap)),
            ("#p", stage => NumberText.Probability(stage.PValue)),
            ("#Adjusted p", stage => NumberText.Probability(stage.AdjustedPValue)),
            ("Significant in this run", stage => EnumSpelling<Significance>.Of(stage.Significant)),
            ("This data does that", stage => OverSeedsOf(stage.OverSeeds)));
        page.Paragraph(
            "Score: the gap of the model as trained less the gap without the stage. Adjusted p: Benjamini-Hochberg over the ranking.",
            "quiet");
        foreach (var note in ranking.Notes) page.Paragraph(note, "quiet");
    }

    private static TableCell OverSeedsOf(OverSeeds? over) => over is null ? "not known: no other seed was asked" : new TableCell(
        EnumSpelling<Significance>.Of(over.Significant),
        $"over {NumberText.Count(over.Seeds)} seeds: {NumberText.Signed(over.Mean)}"
            + (double.IsNaN(over.Low) ? "" : $", {NumberText.Interval(over.Low, over.High)}"));

    private static (string Heading, Func<StageFinding, TableCell> Cell) EffectColumn(EffectFinding finding) =>
        ("#Effect" + MetricText.UnitInBrackets(finding.Artifact.Metric), stage => NumberText.Signed(stage.Estimate));
}
