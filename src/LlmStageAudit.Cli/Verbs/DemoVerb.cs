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
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Reporting;
using LlmStageAudit.Retraining.Hops;

namespace LlmStageAudit.Cli.Verbs;

internal static class DemoVerb
{
    /// <summary>Predicts without retraining, so that the verification has something to prove.</summary>
    private const string PredictionSource = "midpoint";

    private static readonly Option<string> s_out =
        new("--out", "-o") { Description = "A new folder for everything the demo makes", DefaultValueFactory = _ => "stageaudit-demo" };
    private static readonly Option<long> s_seed =
        new("--seed") { Description = "Of the generated comments and the training", DefaultValueFactory = _ => 7 };

    public static Command Build() => Verb.Of(
        "demo",
        "The whole story on generated comments: one fine-tuning stage plants a spurious link between an identity and toxicity; "
            + "the audit finds the stage, plans to skip it, retrains, and verifies its prediction.",
        ["stageaudit demo", "stageaudit demo --out /tmp/demo --json"],
        [s_out, s_seed, CommonOptions.Device],
        Run);

    private static int Run(VerbContext context)
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

        context.Note($"4  attributing: what would the model be without each stage? (replay, gradient source {PredictionSource})");
        var probe = ProbeConfigurationReader.Read(workspace.ProbeConfiguration);
        var ranked = RankHop.Run(
            new RankRequest
            {
                Run = workspace.Run,
                Probe = probe,
                Confounder = DemoCorpus.PlantedIdentity,
                Estimator = new Estimator.Replay(GradientSource.Of(PredictionSource)),
            },
            context.Host);
        var (ranking, effects) = (ranked.Ranking.Record, ranked.Effects.Record);

        context.Note("5  retraining without each stage, the one that ranks first to begin with, to verify the predictions");
        var plan = PlanHop.Run(new PlanRequest(workspace.Run)
        {
            Skip = [.. ranking.Ranking.Select(stage => stage.Stage)],
            Effects = ranked.Effects.Path,
        });
        var retrained = RetrainHop.Run(new RetrainRequest(plan.Path), context.Host);
        var verification = VerifyHop.Run(new VerifyRequest(plan.Path), context.Host).Record;
        var without = EvaluateHop.Run(
            new EvaluateRequest.OfRun(retrained.RunOf(plan.Record.Jobs[0]))
            {
                Probe = probe,
            },
            context.Host).Scores;
        var report = ReportHop.Run(workspace.Run);
        Print(context, new Outcome(ranking, effects, verification.Stages, without, report, watch.Elapsed.TotalSeconds));
        return (int)ExitCode.Done;
    }

    private static void Train(VerbContext context, string activity, string configuration, string folder) => TrainHop.Run(
        new TrainRequest(RunConfigurationReader.Read(configuration, []), folder) { Activity = activity }, context.Host);

    private static void Print(VerbContext context, Outcome outcome)
    {
        var (before, after) = (outcome.FalsePositiveRate(outcome.Effects.Observed), outcome.FalsePositiveRate(outcome.Retrained));
        var top = outcome.Ranking.Ranking[0];
        if (context.Json)
        {
            context.WriteJson(new
            {
                SchemaVersion = 1,
                DemoCorpus.PlantedStage,
                DemoCorpus.PlantedIdentity,
                TopStage = top.Stage,
                TopStageSignificant = top.Significant,
                outcome.Verified[0].Pearson,
                outcome.Verified[0].Spearman,
                outcome.Verified[0].RelativeError,
                Gradient = PredictionSource,
                FalsePositiveRate = before,
                FalsePositiveRateWithoutTopStage = after,
                Ranking = outcome.Ranking.Ranking.Select(stage =>
                    new { stage.Stage, stage.Score, stage.Low, stage.High, stage.Significant }),
                Verified = outcome.Verified.Select(stage =>
                    new { stage.Stage, stage.Predicted, stage.Measured, stage.Pearson, stage.RelativeError }),
                outcome.Report,
                outcome.Seconds,
            });
            return;
        }

        context.Out.WriteLine(
            $"How much each stage raised the score of comments that mention '{DemoCorpus.PlantedIdentity}' "
            + "over others of the same label (log-odds):");
        context.WriteTable(
            ["stage", ">score", ">95% interval", "significant", ">predicted vs retrained"],
            outcome.Ranking.Ranking.Zip(outcome.Verified, (stage, verified) => (IReadOnlyList<string>)
            [
                stage.Stage, Numbers.Signed(stage.Score), Numbers.Interval(stage.Low, stage.High), stage.Significant ? "yes" : "no",
                $"Pearson {Numbers.Plain(verified.Pearson)}",
            ]));
        context.Out.WriteLine($"The audit names '{top.Stage}'; the link was planted in '{DemoCorpus.PlantedStage}'.");
        context.Out.WriteLine(
            $"Harmless comments that mention '{DemoCorpus.PlantedIdentity}' and are flagged: "
            + $"{Percent(before)} as trained, {Percent(after)} retrained without '{top.Stage}'.");
        context.Out.WriteLine($"Report: {outcome.Report}   ({Numbers.Seconds(outcome.Seconds)})");
    }

    private static string Percent(double share) => share.ToString("0.0%", System.Globalization.CultureInfo.InvariantCulture);

    private sealed record Outcome(
        RankingArtifact Ranking,
        EffectsArtifact Effects,
        IReadOnlyList<VerifiedStage> Verified,
        ProbeScores Retrained,
        string Report,
        double Seconds)
    {
        /// <summary>Of the planted identity's harmless comments, those flagged.</summary>
        public double FalsePositiveRate(ProbeScores scores) =>
            scores.Groups.Single(group => group.Group == DemoCorpus.PlantedIdentity).Metrics[MetricNames.FalsePositiveRate];
    }
}
