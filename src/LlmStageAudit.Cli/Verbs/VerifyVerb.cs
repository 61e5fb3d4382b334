using System.CommandLine;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Retraining.Hops;

namespace LlmStageAudit.Cli.Verbs;

internal static class VerifyVerb
{
    private static readonly Option<double?> s_minPearson =
        new("--min-pearson") { Description = "Exit with 4 where a stage's correlation is below" };
    private static readonly Option<string?> s_effects = new("--effects") { Description = "Predictions to verify; default: the plan's" };

    public static Command Build() => Verb.Of(
        "verify",
        "Compares predicted effects with retrained ones, per stage over the probe's examples.",
        ["stageaudit verify runs/a/plan.json", "stageaudit verify runs/a/plan.json --min-pearson 0.95"],
        [RunOptions.Plan, s_minPearson, s_effects, CommonOptions.Device],
        Run);

    private static ExitCode Run(VerbContext context)
    {
        var verification = VerifyHop.Run(
            new VerifyRequest(context.Get(RunOptions.Plan)) { Effects = context.Get(s_effects), MinPearson = context.Get(s_minPearson) },
            context.Host).Record;
        context.Print(
            new
            {
                verification.RunId,
                verification.Gradient,
                verification.Predictions?.Metric,
                verification.Predictions?.Treatment,
                verification.MinPearson,
                verification.Passed,
                Stages = verification.Stages.Select(stage => new
                {
                    stage.Stage,
                    stage.Estimator,
                    stage.Predicted,
                    stage.Measured,
                    stage.Pearson,
                    stage.Spearman,
                    stage.RelativeError,
                    stage.Examples,
                    stage.BitIdentical,
                }),
            },
            () =>
            {
                context.Out.WriteLine($"Predicted (gradient source {verification.Gradient}) against retrained:");
                context.WriteTable(
                    verification.Stages,
                    ("stage", stage => stage.Stage),
                    (">predicted", stage => Numbers.Signed(stage.Predicted)),
                    (">measured", stage => Numbers.Signed(stage.Measured)),
                    (">pearson", stage => Numbers.Plain(stage.Pearson)),
                    (">spearman", stage => Numbers.Plain(stage.Spearman)),
                    (">relative error", stage => Numbers.Plain(stage.RelativeError)),
                    (">examples", stage => $"{stage.Examples}"),
                    ("same bits", stage => stage.BitIdentical == true ? "yes" : "no"));
            });
        if (verification.Passed) return ExitCode.Done;
        var below = verification.Stages
            .Where(stage => !(stage.Pearson >= verification.MinPearson) && stage.RelativeError != 0)
            .Select(stage => stage.Stage);
        context.Error.WriteLine(
            $"verification failed: Pearson below {Numbers.Plain(verification.MinPearson!.Value)} for {string.Join(", ", below)}");
        return ExitCode.GateFailed;
    }
}
