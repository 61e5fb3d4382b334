using System.CommandLine;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Retraining.Hops;

namespace LlmStageAudit.Cli.Verbs;

internal static class RetrainVerb
{
    private static readonly Option<string> s_executor =
        Verb.Option("--executor", string.Join(", ", Executor.Names), $"{new Executor.Local()}");

    public static Command Build() => Verb.Of(
        "retrain",
        "Runs the jobs of a plan. Running it again goes on where it was; finished jobs are left alone.",
        ["stageaudit retrain runs/a/plan.json"],
        [RunOptions.Plan, s_executor, CommonOptions.ForceStart, CommonOptions.Device],
        Run);

    private static void Run(VerbContext context)
    {
        var request = new RetrainRequest(context.Get(RunOptions.Plan)) { Executor = Executor.Parse(context.Get(s_executor)!) };
        var plan = RetrainHop.Run(request, context.Host);
        PlanStatus.Print(context, plan);
        if (!context.Json) context.Note($"next: stageaudit verify {plan.Path}");
    }
}
