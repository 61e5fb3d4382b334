using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Plans;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Training;

namespace LlmStageAudit.Retraining.Plans;

/// <summary>Plans retraining without a stage: one job per stage, each starting from the checkpoint before it.</summary>
internal static class PlanBuilder
{
    /// <summary>The plan; nothing is written.</summary>
    /// <param name="folder">A completed run.</param>
    /// <param name="planPath">Where the plan will lie; paths in it are relative to that.</param>
    /// <param name="basis">What it leaves out, and what it predicts.</param>
    /// <exception cref="AuditException">An unknown stage, or an unfinished run.</exception>
    public static PlanArtifact Build(RunFolder folder, string planPath, PlanBasis basis)
    {
        var manifest = folder.ReadManifest();
        if (manifest.State != RunState.Completed) throw TrainingException.NotCompleted(folder.Root, manifest.State);
        var planFolder = Path.GetDirectoryName(Path.GetFullPath(planPath))!;
        var effects = basis.Predictions?.Effects;
        var jobs = basis.Skip.Distinct().Select(stage => Job(folder, manifest, stage, effects, planPath)).ToArray();
        return new PlanArtifact
        {
            RunId = manifest.RunId,
            Run = Path.GetRelativePath(planFolder, folder.Root),
            EffectsPath = basis.Predictions is { Path: var path } ? Path.GetRelativePath(planFolder, path) : null,
            Choice = basis.Reason,
            ProbePath = effects?.Probe.Path,
            CreatedUtc = DateTime.UtcNow,
            Jobs = jobs,
            TotalSteps = jobs.Sum(job => job.Steps),
            EstimatedSeconds = jobs.Sum(job => job.EstimatedSeconds),
        };
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
                    Estimator = effect.Estimator ?? effects.Estimator,
                    Trust = effect.Trust,
                }
                : null,
            Run = PlanFile.RunOf(planPath, id),
        };
    }
}
