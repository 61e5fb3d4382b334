using System.CommandLine;
using LlmStageAudit.Artifacts.Errors;
using LlmStageAudit.Artifacts.Runs;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Cli.Verbs;

internal static class VerifyLogVerb
{
    private static readonly Option<int> s_replay = new("--replay") { Description = "Also execute this many steps again, chosen at random, and compare gradients" };
    private static readonly Option<long> s_seed = new("--seed") { Description = "Of the choice of steps" };

    public static Command Build() => Verb.Of(
        "verify-log",
        "Checks the hash chain of a run's trajectory log. Exit code 4 where something was changed.",
        ["stageaudit verify-log runs/a", "stageaudit verify-log runs/a --replay 5"],
        [AttributeVerb.RunArgument, s_replay, s_seed, CommonOptions.Device],
        Run);

    private static int Run(VerbContext context)
    {
        var path = context.Get(AttributeVerb.RunArgument);
        var verification = context.Get(s_replay) > 0 ? Replay(context, path) : LogVerifier.Verify(RunFolder.Open(path), context.Cancellation);
        var intact = verification.Findings.Count == 0;
        if (context.Json)
        {
            context.WriteJson(new { SchemaVersion = 1, verification.Records, Intact = intact, verification.Replayed, verification.WorstGradientError, verification.Findings });
        }
        else
        {
            context.Out.WriteLine($"{verification.Records} records, {(intact ? "intact" : "NOT intact")}");
            if (verification.WorstGradientError is { } worst)
                context.Out.WriteLine($"{verification.Replayed} steps executed again, worst relative gradient error {Numbers.Plain(worst)}");
            foreach (var finding in verification.Findings) context.Error.WriteLine(finding);
        }

        return (int)(intact ? ExitCode.Done : ExitCode.GateFailed);
    }

    private static LogVerification Replay(VerbContext context, string path)
    {
        using var run = TrainedRun.Open(path, context.Device);
        EngineNotes.Write(context, run.Manifest);
        return LogVerifier.Replay(run, context.Get(s_replay), context.Get(s_seed), context.Cancellation);
    }
}
