using System.CommandLine;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Plans;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Retraining.Hops;

namespace LlmStageAudit.Cli.Verbs;

internal static class PlanVerb
{
    private static readonly Option<string[]> s_skip =
        new("--skip") { Description = "Stages to leave out, one retraining job each", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<int?> s_auto = new("--auto") { Description = "Leave out the N stages that rank highest" };
    private static readonly Option<string?> s_out =
        new("--out", "-o") { Description = "The plan file; default: plan.json in the run folder" };
    private static readonly Option<string?> s_from = new("--from")
    {
        Description = "The effects or ranking to plan by; default: of those filed in the run, on one probe and metric, the best trusted",
    };

    public static Command Build() => Verb.Of(
        "plan",
        "Writes a skip-stage retraining plan: what runs, from which checkpoint, at what cost, with what expected effect.",
        [
            "stageaudit plan runs/a --skip religion",
            "stageaudit plan runs/a --skip religion race --out plans/both.json",
            "stageaudit plan runs/a --auto 2"
        ],
        [RunOptions.Run, s_skip, s_auto, s_out, s_from],
        Run);

    private static void Run(VerbContext context)
    {
        var (skip, auto) = (context.Get(s_skip) ?? [], context.Get(s_auto));
        if ((skip.Length > 0) == auto.HasValue)
            throw ConfigurationException.At(
                "plan", skip.Length > 0 ? "both --skip and --auto" : "neither --skip nor --auto", "one of them");
        if (auto < 1) throw ConfigurationException.At("--auto", $"{auto}", "1 or more stages");
        var plan = PlanHop.Run(new PlanRequest(context.Get(RunOptions.Run))
        {
            Skip = skip,
            Top = auto ?? 1,
            Path = context.Get(s_out),
            From = context.Get(s_from),
        });
        context.Print(plan.Record, () => Print(context, plan.Record, plan.Path));
    }

    private static void Print(VerbContext context, PlanArtifact plan, string path)
    {
        context.WriteTable(
            plan.Jobs,
            ("job", job => job.Id),
            ("leaves out", job => job.Stage),
            ("starts after", job => job.StartsAfter ?? "(initial state)"),
            ("then trains", job => job.Stages.Count == 0 ? "(nothing)" : string.Join(", ", job.Stages)),
            (">steps", job => $"{job.Steps}"),
            (">estimated", job => Numbers.Seconds(job.EstimatedSeconds)),
            (">expected effect of the stage", job =>
                job.ExpectedEffect is { } effect ? $"{Numbers.Signed(effect.Estimate)} {effect.Metric}" : null));
        context.Out.WriteLine($"{plan.TotalSteps} steps, about {Numbers.Seconds(plan.EstimatedSeconds)}: {path}");
        context.Note($"{plan.Choice}");
        context.Note($"next: stageaudit retrain {path}");
    }
}
