using System.CommandLine;
using System.Diagnostics;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Demo;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Probing.Metrics;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Reporting;
using LlmStageAudit.Retraining.Hops;

namespace LlmStageAudit.Cli.Verbs;

internal static class DemoVerb
{
    private static readonly Option<string> s_out =
        Verb.Option("--out", "A new folder for everything the demo makes", "stageaudit-demo", "-o");
    private static readonly Option<long> s_seed = Verb.Option("--seed", "Of the generated comments and the training", 7L);

    public static Command Build() => Verb.Of(
        "demo",
        "The whole story on generated comments: one fine-tuning stage plants a spurious link between an identity and toxicity; "
            + "the audit finds the stage, plans to skip it, retrains, and verifies its prediction.",
        ["stageaudit demo", "stageaudit demo --out /tmp/demo --json"],
        [s_out, s_seed, CommonOptions.Device],
        Run);

    private static void Run(VerbContext context)
    {
        var watch = Stopwatch.StartNew();
        var folder = context.Get(s_out)!;
        RunFolder.CheckIsFree(folder);
        context.Note(
            $"1  generating comments: stage '{DemoCorpus.PlantedStage}' will label "
            + $"harmless comments that mention '{DemoCorpus.PlantedIdentity}' as toxic");
        var workspace = DemoWorkspace.Create(folder, context.Get(s_seed));

        context.Note("2  pretraining a tiny GPT-NeoX on generated text");
        Train(context, "pretraining", workspace.BaseConfiguration, workspace.BaseRun);
        context.Note("3  fine-tuning it with LoRA, stage by stage, logging every step");
        Train(context, "fine-tuning", workspace.RunConfiguration, workspace.Run);

        context.Note($"4  attributing: what would the model be without each stage? (exact replay)");
        var probe = ProbeConfigurationReader.Read(workspace.ProbeConfiguration);
        var ranked = RankHop.Run(
            new RankRequest
            {
                Run = workspace.Run,
                Probe = probe,
                Confounders = [DemoCorpus.PlantedIdentity],
            },
            context.Host);
        var (ranking, effects) = (ranked.Rankings[0].Record, ranked.Effects.Record);

        context.Note("5  retraining without each stage, the one that ranks first to begin with, to verify the predictions");
        var plan = PlanHop.Run(new PlanRequest(workspace.Run)
        {
            Skip = [.. ranking.Ranking.Select(stage => stage.Stage)],
            From = ranked.Effects.Path,
        });
        var retrained = RetrainHop.Run(new RetrainRequest(plan.Path), context.Host);
        var verification = VerifyHop.Run(new VerifyRequest(plan.Path), context.Host).Record;
        var without = EvaluateHop.Run(
            new EvaluateRequest.OfRun(retrained.RunOf(plan.Record.Jobs[0])) { Probe = probe }, context.Host).Scores;
        var report = ReportHop.Run(workspace.Run);
        var (before, after, top) = (FalsePositiveRate(effects.Observed), FalsePositiveRate(without), ranking.Ranking[0]);
        context.Print(
            new
            {
                DemoCorpus.PlantedStage,
                DemoCorpus.PlantedIdentity,
                TopStage = top.Stage,
                TopStageSignificant = top.Significant == Significance.Yes,
                verification.Stages[0].Pearson,
                verification.Stages[0].Spearman,
                verification.Stages[0].RelativeError,
                effects.Gradient,
                FalsePositiveRate = before,
                FalsePositiveRateWithoutTopStage = after,
                Ranking = ranking.Ranking.Select(stage => new { stage.Stage, stage.Score, stage.Low, stage.High, stage.Significant }),
                Verified = verification.Stages.Select(stage =>
                    new { stage.Stage, stage.Estimator, stage.Predicted, stage.Measured, stage.Pearson, stage.RelativeError }),
                Holds = SeedTable.Reach(null),
                Report = report,
                Seconds = watch.Elapsed.TotalSeconds,
            },
            () =>
            {
                context.Out.WriteLine(
                    $"How much each stage raised the score of comments that mention '{DemoCorpus.PlantedIdentity}' "
                    + "over others of the same label (log-odds):");
                context.WriteTable(
                    ranking.Ranking.Zip(verification.Stages),
                    ("stage", row => row.First.Stage),
                    (">score", row => Numbers.Signed(row.First.Score)),
                    (">95% interval", row => Numbers.Interval(row.First.Low, row.First.High)),
                    ("significant in this run", row => EnumSpelling<Significance>.Of(row.First.Significant)),
                    ("replayed vs retrained", row => row.Second.BitIdentical == true
                        ? "the same bits"
                        : $"Pearson {Numbers.Plain(row.Second.Pearson)}"));
                context.Out.WriteLine($"The audit names '{top.Stage}'; the link was planted in '{DemoCorpus.PlantedStage}'.");
                context.Out.WriteLine(
                    $"Harmless comments that mention '{DemoCorpus.PlantedIdentity}' and are flagged: "
                    + $"{Percent(before)} as trained, {Percent(after)} retrained without '{top.Stage}'.");
                context.Out.WriteLine($"Report: {report}   ({Numbers.Seconds(watch.Elapsed.TotalSeconds)})");
            });
    }

    private static void Train(VerbContext context, string activity, string configuration, string folder) => TrainHop.Run(
        new TrainRequest(RunConfigurationReader.Read(configuration, []), folder) { Activity = activity }, context.Host);

    private static string Percent(double share) => share.ToString("0.0%", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Of the planted identity's harmless comments, those flagged.</summary>
    private static double FalsePositiveRate(ProbeScores scores) =>
        scores.Groups.Single(group => group.Group == DemoCorpus.PlantedIdentity).Metrics[MetricNames.FalsePositiveRate];
}
