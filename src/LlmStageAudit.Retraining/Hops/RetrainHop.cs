using LlmStageAudit.Auditing;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Retraining.Executors;
using LlmStageAudit.Retraining.Plans;

namespace LlmStageAudit.Retraining.Hops;

/// <summary>Plan -> counterfactual runs: trains each job's stages; finished jobs are left alone, broken-off ones go on.</summary>
public static class RetrainHop
{
    /// <summary>Runs the jobs one after the other in this process.</summary>
    /// <param name="plan">A plan file.</param>
    /// <param name="host">Where to compute, whom to tell, when to stop.</param>
    /// <returns>The plan, whose jobs are completed.</returns>
    /// <exception cref="AuditException">Another process runs the plan; a job fails or is stopped: those before it are kept.</exception>
    public static PlanFile Run(string plan, WalkHost host)
    {
        var file = PlanFile.Open(plan);
        if (RunFolder.IsRun(file.RunPath)) host.WarnOfOtherEngine(RunFolder.Open(file.RunPath).ReadManifest());
        var job = "";
        return host.Train(
            "retraining",
            progress =>
            {
                LocalExecutor.Run(file, host.Device(), started => job = started.Id, progress, host.Cancellation, host.Preflight);
                return file;
            },
            stage => $"{job}: {stage}");
    }
}
