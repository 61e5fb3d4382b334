using System.CommandLine;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Retraining.Hops;

namespace LlmStageAudit.Cli.Verbs;

internal static class RetrainVerb
{
    private static readonly Option<string> s_executor = new("--executor") { Description = "local", DefaultValueFactory = _ => "local" };

    public static Command Build() => Verb.Of(
        "retrain",
        "Runs the jobs of a plan. Running it again goes on where it was; finished jobs are left alone.",
        ["stageaudit retrain runs/a/plan.json"],
        [RunOptions.Plan, s_executor, CommonOptions.ForceStart, CommonOptions.Device],
        Run);

    private static int Run(VerbContext context)
    {
        if (context.Get(s_executor) is not "local" and var executor)
            throw ConfigurationException.At("--executor", $"'{executor}'", "local");
        var plan = RetrainHop.Run(context.Get(RunOptions.Plan), context.Host);
        PlanStatus.Print(context, plan);
        if (!context.Json) context.Note($"next: stageaudit verify {plan.Path}");
        return (int)ExitCode.Done;
    }
}
