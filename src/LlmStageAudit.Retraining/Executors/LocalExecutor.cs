using LlmStageAudit.Records.Plans;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Retraining.Plans;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Retraining.Executors;

/// <summary>Runs the jobs of a plan one after the other in this process. Finished jobs are left alone, broken-off ones go on.</summary>
internal static class LocalExecutor
{
    /// <summary>Trains what the plan still lacks.</summary>
    /// <param name="file">The plan.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="started">Told which job begins.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <param name="preflight">Refuses jobs that cannot fit before the first is begun; null to start whatever the machine has.</param>
    /// <exception cref="Foundation.Errors.AuditException">
    /// Another process runs the plan. A job fails or is stopped; jobs before it are complete and stay.
    /// </exception>
    public static void Run(
        PlanFile file,
        Device? device,
        Action<PlannedJob>? started,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation,
        Preflight? preflight = null)
    {
        using var parent = TrainedRun.Open(file.RunPath, device);
        if (parent.Manifest.RunId != file.Plan.RunId) throw RetrainingException.OtherRun(file.Path, file.Plan.RunId, parent.Manifest.RunId);
        using var held = file.Lock();
        if (file.Plan.Jobs.Where(job => !RunFolder.IsRun(file.RunOf(job))).ToArray() is { Length: > 0 } pending)
            preflight?.CheckRetraining(file.Path, parent, pending.Select(job => parent.StageIndex(job.Stage)));
        foreach (var job in file.Plan.Jobs)
        {
            var path = file.RunOf(job);
            if (!RunFolder.IsRun(path))
            {
                started?.Invoke(job);
                RunTrainer.TrainWithout(parent, job.Stage, path, progress, cancellation);
                continue;
            }

            var start = RunFolder.Open(path).ReadManifest().Start;
            if (start.RunId != parent.Manifest.RunId || !start.SkippedStages.SequenceEqual([job.Stage]))
                throw RetrainingException.OtherRun(
                    path, start.RunId ?? "of its own", $"{parent.Manifest.RunId} without stage '{job.Stage}'");
            started?.Invoke(job);
            RunTrainer.Resume(path, null, device, progress, cancellation);
        }
    }
}
