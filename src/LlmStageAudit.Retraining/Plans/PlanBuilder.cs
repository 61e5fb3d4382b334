using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Plans;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Training;

namespace LlmStageAudit.Retraining.Plans;

/// <summary>Plans retraining without a stage: one job per stage, each starting from the checkpoint before it.</summary>
internal static class PlanBuilder
{
    /// <summary>The plan; nothing is written.</summary>
    /// <param name="folder">A completed run.</param>
    /// <param name="planPath">Where the plan will lie; paths in it are relative to that.</param>
    /// <param name="skip">Stages to leave out, one job each.</param>
    /// <param name="effectsPath">The predictions to hold against the outcome; null for none.</param>
    /// <exception cref="AuditException">An unknown stage, an unfinished run, or effects of another run.</exception>
    public static PlanArtifact Build(RunFolder folder, string planPath, IReadOnlyList<string> skip, string? effectsPath)
    {
        var manifest = folder.ReadManifest();
        if (manifest.State != RunState.Completed) throw TrainingException.NotCompleted(folder.Root, manifest.State);
        var effects = effectsPath is null ? null : ArtifactJson.Read<EffectsArtifact>(effectsPath);
        if (effects is not null && effects.RunId != manifest.RunId)
            throw RetrainingException.OtherRun(effectsPath!, effects.RunId, manifest.RunId);

        var planFolder = Path.GetDirectoryName(Path.GetFullPath(planPath))!;
        var jobs = skip.Distinct().Select(stage => Job(folder, manifest, stage, effects, planPath)).ToArray();
        return new PlanArtifact
        {
            RunId = manifest.RunId,
            Run = Path.GetRelativePath(planFolder, folder.Root),
            EffectsPath = effectsPath is null ? null : Path.GetRelativePath(planFolder, effectsPath),
            ProbePath = effects?.Probe.Path,
            CreatedUtc = DateTime.UtcNow,
            Jobs = jobs,
            TotalSteps = jobs.Sum(job => job.Steps),
            EstimatedSeconds = jobs.Sum(job => job.EstimatedSeconds),
        };
    }

    /// <summary>
    /// The stages worth leaving out first: from the newest ranking, else those whose effects are largest in size.
    /// </summary>
    /// <exception cref="RetrainingException">Neither is filed.</exception>
    public static IReadOnlyList<string> Choose(RunFolder folder, int count)
    {
        if (FiledResults.NewestRanking(folder) is { } ranking)
            return [.. ArtifactJson.Read<RankingArtifact>(ranking).Ranking.Take(count).Select(stage => stage.Stage)];
        var path = FiledResults.NewestEffects(folder) ?? throw RetrainingException.NothingToChoose(folder.Root);
        var effects = ArtifactJson.Read<EffectsArtifact>(path).Effects;
        return [.. effects.OrderByDescending(effect => Math.Abs(effect.Estimate)).Take(count).Select(effect => effect.Stage)];
    }

    private static PlannedJob Job(RunFolder folder, RunManifest manifest, string stage, EffectsArtifact? effects, string planPath)
    {
        var names = manifest.Stages.Select(result => result.Name).ToArray();
        var index = Array.IndexOf(names, stage);
        if (index < 0) throw TrainingException.UnknownStage(folder.Root, stage, names);
        var later = manifest.Stages.Skip(index + 1).ToArray();
        var id = "skip-" + stage;
        return new PlannedJob
        {
            Id = id,
            Stage = stage,
            StartsAfter = index == 0 ? null : names[index - 1],
            Stages = [.. later.Select(result => result.Name)],
            Steps = later.Sum(result => result.Steps),
            EstimatedSeconds = later.Sum(result => result.TrainSeconds + result.LogSeconds),
            ExpectedEffect = effects?.Effects.FirstOrDefault(effect => effect.Stage == stage) is { } effect
                ? new ExpectedEffect
                {
                    Metric = effect.Metric,
                    Estimate = effect.Estimate,
                    Low = effect.Low,
                    High = effect.High,
                    Gradient = effects.Source,
                }
                : null,
            Run = PlanFile.RunOf(planPath, id),
        };
    }
}
