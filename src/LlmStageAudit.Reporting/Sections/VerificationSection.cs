using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Reporting.Charts;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>Predicted against retrained: the scatter per stage, the agreement, the gate.</summary>
internal static class VerificationSection
{
    // Scatters of one verification; its table names every stage.
    private const int MaximumFacets = 12;

    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        if (findings.Verifications.Count == 0)
        {
            var top = findings.Primary?.Top?.Effect.Stage;
            var stage = findings.Run.Configuration.Stages.Any(known => known.Name == top) ? ShellText.Quote(top!) : "STAGE";
            page.Missing(
                "Not yet: no stage was left out in a real retraining. This plans it, runs it and compares it:",
                Setting.Command("plan", findings.RunArgument, (Setting.LeavingOut, stage), (Setting.Output, "plan.json")),
                Setting.Command("retrain", "plan.json"),
                Setting.Command("verify", "plan.json"));
        }

        foreach (var (index, verification) in findings.Verifications.Index())
        {
            WriteVerdict(page, verification);
            if (verification.Stages.Count > 0) WriteStages(page, verification, verification.Predictions?.Metric ?? string.Empty, index + 1);
        }
    }

    private static void WriteVerdict(MarkupWriter page, VerificationArtifact verification)
    {
        page.Open("p");
        page.Text($"{NumberText.Count(verification.Stages.Count, "stage")} left out in a real retraining and compared with the ");
        page.Text($"{verification.Gradient} estimate on {NumberText.Instant(verification.CreatedUtc)}. ");
        if (verification.MinPearson is { } gate)
        {
            var verdict = verification.Passed ? "✓ passed" : "✗ not passed";
            page.Text($"Gate: Pearson of at least {NumberText.Value(gate)}, {verdict:strong}. ");
        }

        var identical = verification.Stages.Count(stage => stage.BitIdentical == true);
        if (identical > 0) page.Text($"Of {NumberText.Count(identical)}, predicted and retrained effects are the same bits.");
        page.Close();
    }

    private static void WriteStages(MarkupWriter page, VerificationArtifact verification, string metric, int number)
    {
        // So many points of each scatter that all of them together stay below the page's limit.
        var limit = ScatterChart.MaximumPoints / Math.Clamp(verification.Stages.Count, 1, MaximumFacets);
        page.Open("figure").Open("div", ("class", "facets"));
        foreach (var (facet, stage) in verification.Stages.Take(MaximumFacets).Index())
        {
            var chart = new ScatterChart($"scatter-{number}-{facet + 1}", stage, metric) { PointLimit = limit };
            page.Open("div").Markup(chart.Render()).Close();
        }

        page.Close().Element("figcaption", Caption(verification, limit)).Close();
        var unit = MetricText.UnitInBrackets(metric);
        page.Table(
            "Predicted against retrained effects",
            verification.Stages,
            ("Stage", stage => stage.Stage),
            ("#Predicted" + unit, stage => NumberText.Signed(stage.Predicted)),
            ("#Retrained" + unit, stage => NumberText.Signed(stage.Measured)),
            ("#Pearson", stage => NumberText.Value(stage.Pearson)),
            ("#Spearman", stage => NumberText.Value(stage.Spearman)),
            ("#Slope", stage => NumberText.Value(ScatterChart.Slope(stage))),
            ("#Relative error", stage => NumberText.Value(stage.RelativeError, 3)),
            ("#Rows", stage => NumberText.Count(stage.Examples)),
            ("Same bits", stage => stage.BitIdentical switch { true => "yes", false => "no", null => "not compared" }));
    }

    private static string Caption(VerificationArtifact verification, int limit)
    {
        var caption = "One point per probe row: its effect as predicted and as measured by retraining. On the dashed line both are equal.";
        if (verification.Stages.Any(stage => stage.PredictedPerExample.Count > limit))
        {
            caption += $" At most {NumberText.Count(limit)} points per stage are drawn, at even distances; the numbers are of all.";
        }

        if (verification.Stages.Count > MaximumFacets) caption += $" The first {MaximumFacets} stages are drawn.";
        return caption;
    }
}
