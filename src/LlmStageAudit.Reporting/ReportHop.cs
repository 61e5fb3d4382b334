using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Reporting;

/// <summary>Run folder -> report: one self-contained HTML page of everything that is filed.</summary>
public static class ReportHop
{
    /// <summary>Writes the page, which replaces one of that name; what is filed is only read.</summary>
    /// <param name="run">A run folder.</param>
    /// <param name="path">The page; null: report.html in the run folder.</param>
    /// <returns>Where the page lies.</returns>
    /// <exception cref="AuditException">A record that cannot be read, or a disk that is full.</exception>
    public static string Run(string run, string? path = null)
    {
        var folder = RunFolder.Open(run);
        var manifest = folder.ReadManifest();
        var page = HtmlReport.Render(new ReportInputs
        {
            Run = manifest,
            Effects = [.. FiledResults.Files(folder.EffectsFolder).Select(ArtifactJson.Read<EffectsArtifact>)],
            Rankings = [.. FiledResults.Files(folder.RankingsFolder).Select(ArtifactJson.Read<RankingArtifact>)],
            Verifications = [.. FiledResults.Verifications(folder)],
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
            folder.TrajectoryPath(stage.Index, stage.Name), TrajectoryGenesis.Of(manifest.RunId, stage.Name));
        return reader.Steps;
    }
}
