using System.CommandLine;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Terminal;

namespace LlmStageAudit.Cli.Verbs;

internal static class TrainVerb
{
    private static readonly Option<string?> s_out =
        new("--out", "-o") { Description = "The run folder; default: runs/NAME beside the configuration" };
    private static readonly Option<bool> s_resume = new("--resume") { Description = "Go on with a run that was stopped or broken off" };

    public static Command Build() => Verb.Of(
        "train",
        "Trains the stages of a run, logging every step.",
        [
            "stageaudit train run.yaml",
            "stageaudit train run.yaml --out runs/a --set optimizer.learningRate=5e-5",
            "stageaudit train run.yaml --out runs/a --resume"
        ],
        [.. RunOptions.ToTrain(s_out), s_resume, CommonOptions.ForceStart, CommonOptions.Device],
        Run);

    private static void Run(VerbContext context)
    {
        var (configuration, folder) = RunOptions.Read(context, s_out);
        var manifest = TrainHop.Run(new TrainRequest(configuration, folder, context.Get(s_resume)), context.Host);
        var steps = manifest.Stages.Sum(stage => stage.Steps);
        context.Print(
            new
            {
                Run = Path.GetFullPath(folder),
                manifest.RunId,
                Steps = steps,
                manifest.TrainSeconds,
                manifest.LogSeconds,
                Parameters = manifest.ParameterCount,
                Stages = manifest.Stages.Select(stage => new
                {
                    stage.Name,
                    stage.Steps,
                    Loss = stage.LossLast,
                    stage.LossFirst,
                    stage.LossMean,
                    stage.Examples,
                    stage.TrainSeconds,
                }),
            },
            () =>
            {
                context.WriteTable(
                    manifest.Stages,
                    ("stage", stage => stage.Name),
                    (">examples", stage => $"{stage.Examples}"),
                    (">steps", stage => $"{stage.Steps}"),
                    (">first loss", stage => Numbers.Plain(stage.LossFirst ?? double.NaN)),
                    (">last loss", stage => Numbers.Plain(stage.LossLast ?? double.NaN)),
                    (">seconds", stage => Numbers.Plain(stage.TrainSeconds)));
                context.Out.WriteLine(
                    $"{steps} steps over {manifest.ParameterCount} parameters in {Numbers.Seconds(manifest.TrainSeconds)}, "
                    + $"logging {Numbers.Seconds(manifest.LogSeconds)}: {folder}");
            });
    }
}
