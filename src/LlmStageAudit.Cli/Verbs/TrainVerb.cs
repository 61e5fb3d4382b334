using System.CommandLine;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;

namespace LlmStageAudit.Cli.Verbs;

internal static class TrainVerb
{
    private static readonly Argument<string> s_config = new("config") { Description = "The run's YAML configuration" };
    private static readonly Option<string?> s_out =
        new("--out", "-o") { Description = "The run folder; default: runs/NAME beside the configuration" };
    private static readonly Option<string[]> s_set = new("--set") { Description = "Override a key: a.b=c, stages.NAME.epochs=2" };
    private static readonly Option<bool> s_resume = new("--resume") { Description = "Go on with a run that was stopped or broken off" };

    public static Command Build() => Verb.Of(
        "train",
        "Trains the stages of a run, logging every step.",
        [
            "stageaudit train run.yaml",
            "stageaudit train run.yaml --out runs/a --set optimizer.learningRate=5e-5",
            "stageaudit train run.yaml --out runs/a --resume"
        ],
        [s_config, s_out, s_set, s_resume, CommonOptions.ForceStart, CommonOptions.Device],
        Run);

    private static int Run(VerbContext context)
    {
        var path = context.Get(s_config);
        var configuration = RunConfigurationReader.Read(path, context.Get(s_set) ?? []);
        var folder = context.Get(s_out) ?? RunOptions.DefaultFolder(path);
        var manifest = TrainHop.Run(new TrainRequest(configuration, folder, context.Get(s_resume)), context.Host);
        Print(context, folder, manifest);
        return (int)ExitCode.Done;
    }

    private static void Print(VerbContext context, string folder, RunManifest manifest)
    {
        var steps = manifest.Stages.Sum(stage => stage.Steps);
        if (context.Json)
        {
            context.WriteJson(new
            {
                SchemaVersion = 1,
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
            });
            return;
        }

        context.WriteTable(
            ["stage", ">examples", ">steps", ">first loss", ">last loss", ">seconds"],
            manifest.Stages.Select(stage => (IReadOnlyList<string>)
            [
                stage.Name,
                $"{stage.Examples}",
                $"{stage.Steps}",
                Numbers.Plain(stage.LossFirst ?? double.NaN),
                Numbers.Plain(stage.LossLast ?? double.NaN),
                Numbers.Plain(stage.TrainSeconds),
            ]));
        context.Out.WriteLine(
            $"{steps} steps over {manifest.ParameterCount} parameters in {Numbers.Seconds(manifest.TrainSeconds)}, "
            + $"logging {Numbers.Seconds(manifest.LogSeconds)}: {folder}");
    }
}
