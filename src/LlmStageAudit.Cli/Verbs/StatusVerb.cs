using System.CommandLine;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Retraining.Plans;

namespace LlmStageAudit.Cli.Verbs;

internal static class StatusVerb
{
    public static Command Build() => Verb.Of(
        "status",
        "Says where each job of a plan stands.",
        ["stageaudit status runs/a/plan.json"],
        [RunOptions.Plan],
        context => PlanStatus.Print(context, PlanFile.Open(context.Get(RunOptions.Plan))));
}

/// <summary>Where the jobs of a plan stand.</summary>
internal static class PlanStatus
{
    public static void Print(VerbContext context, PlanFile file)
    {
        var jobs = file.Plan.Jobs.Select(job => new { job.Id, job.Stage, State = file.StateOf(job), Run = file.RunOf(job) }).ToArray();
        context.Print(new { Jobs = jobs }, () => context.WriteTable(
            jobs, ("job", job => job.Id), ("leaves out", job => job.Stage), ("state", job => job.State), ("run", job => job.Run)));
    }
}
