using System.CommandLine;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Reporting;
using LlmStageAudit.Retraining.Plans;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Cli.Verbs;

internal static class ReportVerb
{
    private static readonly Option<string?> s_out =
        new("--out", "-o") { Description = "The HTML file; default: report.html in the run folder" };

    public static Command Build() => Verb.Of(
        "report",
        "Writes one self-contained HTML page about a run: its stages and their effects, predicted against retrained, provenance.",
        ["stageaudit report runs/a", "stageaudit report runs/a -o audit.html"],
        [AttributeVerb.RunArgument, s_out],
        context =>
        {
            var path = Write(RunFolder.Open(context.Get(AttributeVerb.RunArgument)), context.Get(s_out));
            if (context.Json) context.WriteJson(new { SchemaVersion = 1, Report = path });
            else context.Out.WriteLine(path);
            return (int)ExitCode.Done;
        });

    internal static string Write(RunFolder folder, string? path)
    {
        var manifest = folder.ReadManifest();
        var page = HtmlReport.Render(new ReportInputs
        {
            Run = manifest,
            Effects = [.. FiledResults.Files(folder.EffectsFolder).Select(ArtifactJson.Read<EffectsArtifact>)],
            Rankings = [.. FiledResults.Files(folder.RankingsFolder).Select(ArtifactJson.Read<RankingArtifact>)],
            Verifications = [.. FiledResults.Files(folder.VerificationsFolder).Select(ArtifactJson.Read<VerificationArtifact>)],
            Steps = [.. manifest.Stages.Where(stage => stage.State == StageState.Completed)
                .SelectMany(stage => Steps(folder, manifest, stage))],
        });
        var target = Path.GetFullPath(path ?? folder.ReportPath);
        AtomicFile.WriteText(target, page);
        return target;
    }

    private static IReadOnlyList<StepRecord> Steps(RunFolder folder, RunManifest manifest, StageResult stage)
    {
        using var reader = TrajectoryReader.Open(
            folder.TrajectoryPath(stage.Index, stage.Name), StageLog.Genesis(manifest.RunId, stage.Name));
        return reader.Steps;
    }
}
