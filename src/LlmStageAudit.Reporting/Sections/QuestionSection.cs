using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>What was asked, of which run, and what a reader must know first.</summary>
internal static class QuestionSection
{
    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        page.Open("p", ("class", "question"));
        if (findings.Primary?.Artifact is { } effects)
        {
            page.Text($"Which training {effects.Treatment.Level} raised or lowered the model’s {effects.Metric:strong} on the probe ");
            page.Text($"{effects.Probe.Name:strong} ({NumberText.Count(effects.Probe.Examples, "row")})?");
        }
        else
        {
            page.Text("Which training stage changed what this model does?");
        }

        page.Close();
        foreach (var notice in findings.Notices()) page.Element("p", notice, ("class", "notice"), ("role", "note"));
        page.Definitions("facts", Facts(findings));
    }

    private static IEnumerable<(string Term, TableCell Fact)> Facts(AuditFindings findings)
    {
        var run = findings.Run;
        var model = run.Configuration.Model;
        yield return ("Model", new(LastPart(model.Path.TrimEnd('/', '\\')), EnumSpelling<ModelTask>.Of(model.Task)));
        yield return ("Trained values", new(NumberText.Count(run.ParameterCount), run.Configuration.Adapter switch
        {
            null => "all parameters",
            { Rank: { } rank } => "LoRA, rank " + NumberText.Count(rank),
            _ => "LoRA",
        }));
        var steps = run.Stages.Sum(stage => (long)stage.Steps);
        yield return ("Training", new(NumberText.Count(run.Stages.Count, "stage"), NumberText.Count(steps, "step")));
        if (findings.Primary is not { Artifact: var effects } primary) yield break;
        var cost = $"{NumberText.Duration(effects.AttributeSeconds)}, {NumberText.Value(effects.GradientEquivalents)} gradients";
        yield return ("Estimated by", new(MetricText.Method(effects.Estimator), cost));
        var solid = NumberText.Count(primary.Stages.Count(stage => stage.Fill == BarFill.Solid));
        yield return ("Exact or verified", new($"{solid} of {primary.Counted(primary.Stages.Count)}", "by exact replay or retraining"));
    }

    /// <summary>Of a path of any system.</summary>
    public static string LastPart(string path) => path[(path.LastIndexOfAny(['/', '\\']) + 1)..];
}
