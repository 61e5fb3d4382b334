using System.CommandLine;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Retraining.Executors;
using LlmStageAudit.Retraining.Plans;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Cli.Verbs;

internal static class RetrainVerb
{
    internal static readonly Argument<string> PlanArgument = new("plan") { Description = "A plan file" };
    private static readonly Option<string> s_executor = new("--executor") { Description = "local", DefaultValueFactory = _ => "local" };

    public static Command Build() => Verb.Of(
        "retrain",
        "Runs the jobs of a plan. Running it again goes on where it was; finished jobs are left alone.",
        ["stageaudit retrain runs/a/plan.json"],
        [PlanArgument, s_executor, CommonOptions.ForceStart, CommonOptions.Device],
        Run);

    private static int Run(VerbContext context)
    {
        if (context.Get(s_executor) is not "local" and var executor)
            throw ConfigurationException.At("--executor", $"'{executor}'", "local");
        var file = PlanFile.Open(context.Get(PlanArgument));
        if (RunFolder.IsRun(file.RunPath)) EngineNotes.Write(context, RunFolder.Open(file.RunPath).ReadManifest());
        RetrainAll(context, file);
        StatusVerb.Print(context, file);
        if (!context.Json) context.Note($"next: stageaudit verify {file.Path}");
        return (int)ExitCode.Done;
    }

    internal static void RetrainAll(VerbContext context, PlanFile file) => context.Track("retraining", display =>
    {
        var job = "";
        LocalExecutor.Run(
            file,
            context.Device,
            started => job = started.Id,
            display.To<RunProgress>((shown, step) => TrainVerb.ShowStep(shown, step with { Stage = $"{job}: {step.Stage}" })),
            context.Cancellation,
            context.Preflight);
        return 0;
    });
}
