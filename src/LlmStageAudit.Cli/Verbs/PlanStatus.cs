using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Retraining.Plans;

namespace LlmStageAudit.Cli.Verbs;

/// <summary>Where the jobs of a plan stand.</summary>
internal static class PlanStatus
{
    public static void Print(VerbContext context, PlanFile file)
    {
        var jobs = file.Plan.Jobs.Select(job => new { job.Id, job.Stage, State = file.StateOf(job), Run = file.RunOf(job) }).ToArray();
        if (context.Json) context.WriteJson(new { SchemaVersion = 1, Jobs = jobs });
        else context.WriteTable(
            ["job", "leaves out", "state", "run"],
            jobs.Select(job => (IReadOnlyList<string>)[job.Id, job.Stage, job.State, job.Run]));
    }
}
