using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Reporting.Charts;
using LlmStageAudit.Reporting.Findings;
using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>Predicted against retrained: the scatter per stage, the agreement, the gate.</summary>
internal static class VerificationSection
{
    /// <summary>Scatters of one verification; its table names every stage.</summary>
    public const int MaximumFacets = 12;

    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        page.OpenSection("verification", "Was it verified?");
        if (findings.Verifications.Count == 0)
        {
            var stage = findings.Primary?.Top?.Effect.Stage;
            if (findings.Run.Configuration.Stages.All(known => known.Name != stage)) stage = null;
            page.Paragraph("Not yet: no stage was left out in a real retraining. This plans it, runs it and compares it:");
            page.Commands(
                Setting.Command(
                    "plan", findings.RunArgument,
                    (Setting.LeavingOut, stage is null ? "STAGE" : ShellText.Quote(stage)), (Setting.Output, "plan.json")),
                Setting.Command("retrain", "plan.json"),
                Setting.Command("verify", "plan.json"));
        }

        for (var index = 0; index < findings.Verifications.Count; index++) WriteOne(page, findings, index);
        page.Close();
    }

    /// <summary>How many points of each scatter are drawn, so that all of them together stay below the page's limit.</summary>
    public static int PointLimit(VerificationArtifact verification) =>
        ScatterChart.MaximumPoints / Math.Clamp(verification.Stages.Count, 1, MaximumFacets);

    private static void WriteOne(MarkupWriter page, AuditFindings findings, int index)
    {
        var verification = findings.Verifications[index];
        WriteVerdict(page, verification);
        if (verification.Stages.Count == 0) return;
        var unit = UnitOf(findings, verification);
        page.Open("figure").Open("div", ("class", "facets"));
        for (var facet = 0; facet < Math.Min(verification.Stages.Count, MaximumFacets); facet++)
        {
            var stage = verification.Stages[facet];
            var chart = new ScatterChart
            {
                Id = $"scatter-{index + 1}-{facet + 1}",
                Stage = stage.Stage,
                Unit = unit,
                Predicted = stage.PredictedPerExample,
                Measured = stage.MeasuredPerExample,
                Pearson = stage.Pearson,
                Spearman = stage.Spearman,
                PointLimit = PointLimit(verification),
            };
            page.Open("div").Markup(chart.Render()).Close();
        }

        page.Close().Element("figcaption", Caption(verification)).Close();
        WriteTable(page, verification, unit);
    }

    private static void WriteVerdict(MarkupWriter page, VerificationArtifact verification)
    {
        page.Open("p");
        page.Text($"{NumberText.Count(verification.Stages.Count, "stage")} left out in a real retraining and compared with the ");
        page.Text($"{verification.Gradient} estimate on {NumberText.Instant(verification.CreatedUtc)}. ");
        if (verification.MinPearson is { } gate)
        {
            page.Text("Gate: Pearson of at least " + NumberText.Value(gate) + ", ");
            page.Element("strong", verification.Passed ? "✓ passed" : "✗ not passed").Text(". ");
        }

        var identical = verification.Stages.Count(stage => stage.BitIdentical == true);
        if (identical > 0) page.Text($"Of {NumberText.Count(identical)}, predicted and retrained effects are the same bits.");
        page.Close();
    }

    private static void WriteTable(MarkupWriter page, VerificationArtifact verification, string unit)
    {
        var suffix = unit.Length == 0 ? string.Empty : $" ({unit})";
        string[] headings =
        [
            "Stage", "#Predicted" + suffix, "#Retrained" + suffix, "#Pearson", "#Spearman", "#Slope", "#Relative error", "#Rows",
            "Same bits",
        ];
        var rows = verification.Stages.Select(stage => new TableCell[]
        {
            stage.Stage,
            NumberText.Signed(stage.Predicted),
            NumberText.Signed(stage.Measured),
            NumberText.Value(stage.Pearson),
            NumberText.Value(stage.Spearman),
            NumberText.Value(ScatterChart.Slope(stage.PredictedPerExample, stage.MeasuredPerExample)),
            NumberText.Value(stage.RelativeError, 3),
            NumberText.Count(stage.Examples),
            stage.BitIdentical switch { true => "yes", false => "no", null => "not compared" },
        }).ToArray();
        page.Table("Predicted against retrained effects", headings, rows);
    }

    private static string Caption(VerificationArtifact verification)
    {
        var limit = PointLimit(verification);
        var caption = "One point per probe row: its effect as predicted and as measured by retraining. On the dashed line both are equal.";
        if (verification.Stages.Any(stage => stage.PredictedPerExample.Count > limit))
        {
            caption += $" At most {NumberText.Count(limit)} points per stage are drawn, at even distances; the numbers are of all.";
        }

        if (verification.Stages.Count > MaximumFacets) caption += $" The first {MaximumFacets} stages are drawn.";
        return caption;
    }

    private static string UnitOf(AuditFindings findings, VerificationArtifact verification)
    {
        var stages = verification.Stages.ToHashSet(ReferenceEqualityComparer.Instance);
        var finding = findings.Effects.FirstOrDefault(effect => effect.Stages.Any(stage => stages.Contains(stage.Verified)));
        return finding is null ? string.Empty : MetricText.UnitOf(finding.Artifact.Metric);
    }
}
