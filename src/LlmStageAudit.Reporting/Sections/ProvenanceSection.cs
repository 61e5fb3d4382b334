using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>Where the numbers come from and how to make them again.</summary>
internal static class ProvenanceSection
{
    private static readonly JsonSerializerOptions ReadableJson = new(ArtifactJson.Options)
    {
        // The page escapes the text itself; escaping here as well would print \u003E for every comparison in a configuration.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        page.Definitions("terms plain", Facts(findings.Run));
        WriteInputs(page, findings.Run);
        page.Element("h3", "Make it again");
        page.Commands(ReproductionCommands(findings));
        page.Paragraph("The same bits need the same engine, threads and device; CONFIG.yaml is the configuration below.", "quiet");
        page.Open("details").Element("summary", "Configuration, with every default");
        page.Open("pre").Element("code", JsonSerializer.Serialize(findings.Run.Configuration, ReadableJson)).Close().Close();
    }

    private static IEnumerable<(string Term, TableCell Fact)> Facts(RunManifest run) =>
    [
        ("Run", run.RunId),
        ("Made", NumberText.Instant(run.CreatedUtc)),
        ("State", EnumSpelling<RunState>.Of(run.State)),
        ("Start", StartText(run.Start)),
        ("Seed", run.Configuration.Seed.ToString(CultureInfo.InvariantCulture)),
        ("Tool", "stageaudit " + run.ToolVersion),
        ("Engine", $"libtorch {run.Engine.LibTorchVersion}, {run.Engine.Device}, {NumberText.Count(run.Engine.Threads, "thread")}"),
        ("Machine", run.Engine.Machine),
        ("Runtime", run.Engine.Runtime),
    ];

    private static string StartText(RunStart start)
    {
        var skipped = start.SkippedStages.Count == 0 ? string.Empty : $"; left out: {string.Join(", ", start.SkippedStages)}";
        return start.Kind == RunStartKind.Initial
            ? "the state that the configuration makes" + skipped
            : $"the end of stage {start.AfterStage ?? "unknown"} of run {start.RunId ?? "unknown"}"
                + (start.RunPath is null ? string.Empty : $" ({start.RunPath})") + skipped;
    }

    private static void WriteInputs(MarkupWriter page, RunManifest run)
    {
        page.Element("h3", "Files read");
        if (run.Inputs.Count == 0) page.Paragraph("The run names none.");
        else
        {
            page.Table(
                "Files read by the run, pinned by content",
                run.Inputs,
                ("File", input => new(input.Path, "sha256 " + input.Sha256)),
                ("Role", input => EnumSpelling<InputRole>.Of(input.Role)),
                ("#Size", input => NumberText.Size(input.SizeBytes)));
        }

        var states = run.Stages.Where(stage => stage.StateSha256 is not null || stage.TrajectoryHead is not null).ToArray();
        if (states.Length == 0) return;
        page.Table(
            "What each stage left behind",
            states,
            ("Stage", stage => stage.Name),
            ("State at its end (sha256)", stage => stage.StateSha256 ?? "–"),
            ("Head of its trajectory log", stage => stage.TrajectoryHead ?? "–"));
    }

    private static IEnumerable<string> ReproductionCommands(AuditFindings findings)
    {
        var run = findings.RunArgument;
        yield return Setting.Command("train", "CONFIG.yaml", (Setting.Output, run));
        yield return Setting.Command("verify-log", run, (Setting.ReplayedSteps, "5"));
        foreach (var finding in findings.Effects) yield return EffectsCommand(run, finding.Artifact);
        foreach (var ranking in findings.Rankings) yield return RankCommand(run, ranking.Probe.Path, ranking.Confounder);
        foreach (var verification in findings.Verifications)
        {
            var plan = ShellText.Quote(verification.PlanPath);
            yield return Setting.Command("retrain", plan);
            var gate = verification.MinPearson?.ToString("R", CultureInfo.InvariantCulture);
            yield return Setting.Command("verify", plan, gate is null ? [] : [(Setting.MinPearson, gate)]);
        }
    }

    private static string RankCommand(string run, string probe, string confounder) => Setting.Command(
        "rank", run, (Setting.Probe, ShellText.Quote(probe)), (Setting.Confounder, ShellText.Quote(confounder)));

    private static string EffectsCommand(string run, EffectsArtifact effects)
    {
        if (effects.Certification is { Confounder: { } confounder } ranked)
            return $"{RankCommand(run, effects.Probe.Path, confounder)} {ranked.Options}";
        List<(Setting, string)> choices = [(Setting.Probe, ShellText.Quote(effects.Probe.Path))];
        if (effects.Estimator is { } estimator) choices.AddRange([(Setting.Method, estimator.Method), .. estimator.Settings.Chosen]);
        choices.AddRange([(Setting.Level, effects.Treatment.Level), (Setting.Treatment, effects.Treatment.Kind)]);
        if (effects.Treatment is Treatment.Steps { Sets: var sets }) choices.AddRange(sets.Select(set => (Setting.Steps, set)));
        return $"{Setting.Command("attribute", run, choices)} {effects.Certification?.Options}".TrimEnd();
    }
}
