using System.Diagnostics;
using LlmStageAudit.Auditing;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Retraining.Executors;
using LlmStageAudit.Retraining.Plans;

namespace LlmStageAudit.Retraining.Hops;

/// <summary>Which plan is run, and by what.</summary>
/// <param name="Plan">A plan file.</param>
public sealed record RetrainRequest(string Plan)
{
    /// <summary>What runs its jobs; this process where nothing is said.</summary>
    public Executor Executor { get; init; } = new Executor.Local();
}

/// <summary>Plan -> counterfactual runs: trains each job's stages; finished jobs are left alone, broken-off ones go on.</summary>
public static class RetrainHop
{
    /// <summary>Runs the jobs.</summary>
    /// <param name="request">The plan, and what runs its jobs.</param>
    /// <param name="host">Where to compute, whom to tell, when to stop.</param>
    /// <returns>The plan, whose jobs are completed.</returns>
    /// <exception cref="AuditException">Another process runs the plan; a job fails or is stopped: those before it are kept.</exception>
    public static PlanFile Run(RetrainRequest request, WalkHost host)
    {
        var file = PlanFile.Open(request.Plan);
        return request.Executor switch
        {
            Executor.Local => RunHere(file, host),
            _ => throw new UnreachableException(),
        };
    }

    private static PlanFile RunHere(PlanFile file, WalkHost host)
    {
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
