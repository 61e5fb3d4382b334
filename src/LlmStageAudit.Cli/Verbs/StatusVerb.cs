using System.CommandLine;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Retraining.Plans;

namespace LlmStageAudit.Cli.Verbs;

internal static class StatusVerb
{
    public static Command Build() => Verb.Of(
        "status",
        "Says where each job of a plan stands.",
        ["stageaudit status runs/a/plan.json"],
        [RunOptions.Plan],
        context =>
        {
            PlanStatus.Print(context, PlanFile.Open(context.Get(RunOptions.Plan)));
            return (int)ExitCode.Done;
        });
}
