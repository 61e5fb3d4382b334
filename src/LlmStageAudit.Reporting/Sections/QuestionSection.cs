using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Reporting.Findings;
using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>What was asked, of which run, and what a reader must know first.</summary>
internal static class QuestionSection
{
    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        page.OpenSection("question", "Question");
        WriteQuestion(page, findings);
        foreach (var notice in findings.Notices) page.Element("p", notice, ("class", "notice"), ("role", "note"));
        WriteFacts(page, findings);
        page.Close();
    }

    private static void WriteQuestion(MarkupWriter page, AuditFindings findings)
    {
        page.Open("p", ("class", "question"));
        if (findings.Primary is not { } primary)
        {
            page.Text("Which training stage changed what this model does?").Close();
            return;
        }

        var effects = primary.Artifact;
        page.Text($"Which training {primary.Noun} raised or lowered the model’s ").Element("strong", effects.Metric);
        page.Text(" on the probe ").Element("strong", effects.Probe.Name);
        page.Text($" ({NumberText.Count(effects.Probe.Examples, "row")})?").Close();
    }

    private static void WriteFacts(MarkupWriter page, AuditFindings findings)
    {
        var run = findings.Run;
        page.Open("dl", ("class", "facts"));
        WriteFact(page, "Model", NameOf(run.Configuration.Model.Path), EnumSpelling<ModelTask>.Of(run.Configuration.Model.Task));
        WriteFact(page, "Trained values", NumberText.Count(run.ParameterCount), AdapterText(run.Configuration.Adapter));
        var steps = run.Stages.Sum(stage => (long)stage.Steps);
        WriteFact(page, "Training", NumberText.Count(run.Stages.Count, "stage"), NumberText.Count(steps, "step"));
        if (findings.Primary is { } primary)
        {
            var effects = primary.Artifact;
            var cost = $"{NumberText.Duration(effects.AttributeSeconds)}, {NumberText.Value(effects.GradientEquivalents)} gradients";
            WriteFact(page, "Estimated by", MetricText.Method(effects.Estimator), cost);
            var verified = NumberText.Count(primary.Stages.Count(stage => stage.IsVerified));
            WriteFact(page, "Verified", $"{verified} of {primary.Counted(primary.Stages.Count)}", "by retraining or exact replay");
        }

        page.Close();
    }

    private static void WriteFact(MarkupWriter page, string term, string value, string note) =>
        page.Open("div").Element("dt", term).Open("dd").Text(value).Element("small", note).Close().Close();

    private static string AdapterText(AdapterSection? adapter) => adapter switch
    {
        null => "all parameters",
        { Rank: { } rank } => "LoRA, rank " + NumberText.Count(rank),
        _ => "LoRA",
    };

    private static string NameOf(string path)
    {
        var name = path.TrimEnd('/', '\\');
        return name[(name.LastIndexOfAny(['/', '\\']) + 1)..];
    }
}
