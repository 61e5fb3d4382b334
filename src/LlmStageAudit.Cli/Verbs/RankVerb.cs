using System.CommandLine;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Screening;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Auditing.Ranking;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;

namespace LlmStageAudit.Cli.Verbs;

internal static class RankVerb
{
    private static readonly Option<string> s_confounder =
        new("--confounder", "-c") { Description = "The group of the probe whose influence on the score is in question", Required = true };

    public static Command Build() => Verb.Of(
        "rank",
        "Orders stages by how much each raised the model's reliance on a confounder, with significance.",
        [
            "stageaudit rank runs/a --probe probes/identity.yaml --confounder muslim",
            "stageaudit rank runs/a --probe probes/identity.yaml --confounder muslim --budget 2x",
        ],
        [
            RunOptions.Run, ProbeOptions.Probe, ProbeOptions.Unlabelled, s_confounder, RunOptions.Gradient, RunOptions.Rho,
            .. BudgetOptions.All, .. ResumeOptions.All, CommonOptions.Device,
        ],
        Run);

    private static int Run(VerbContext context)
    {
        var certification = BudgetOptions.Read(context, context.Get(RunOptions.Rho), TopKOrder.Highest);
        if (certification is not null && context.Get(RunOptions.Gradient) != "exact")
            throw ConfigurationException.Bad(
                Setting.GradientSource, context.Get(RunOptions.Gradient)!, "exact with --budget; --screen names another screen");
        var ranked = RankHop.Run(
            new RankRequest
            {
                Run = context.Get(RunOptions.Run),
                Probe = ProbeConfigurationReader.Read(context.Get(ProbeOptions.Probe)!),
                Unlabelled = context.Get(ProbeOptions.Unlabelled),
                Confounder = context.Get(s_confounder)!,
                // Under a budget the share is the screen's.
                Estimator = new Estimator.Replay(
                    GradientSource.Of(context.Get(RunOptions.Gradient)!, certification is null ? context.Get(RunOptions.Rho) : null)),
                Certification = certification,
                Resume = context.Get(ResumeOptions.Resume),
                SaveInterval = ResumeOptions.SaveInterval(context),
            },
            context.Host);
        Print(context, ranked.Ranking.Record, ranked.Effects.Record.Certification);
        return (int)ExitCode.Done;
    }

    private static void Print(VerbContext context, RankingArtifact ranking, Certification? certification)
    {
        if (context.Json)
        {
            context.WriteJson(new
            {
                SchemaVersion = 1,
                ranking.RunId,
                ranking.Confounder,
                Probe = ranking.Probe.Name,
                ranking.Ranking,
                Certification = certification,
                ranking.EffectsPath,
                ranking.Notes,
            });
            return;
        }

        context.Out.WriteLine(
            $"How much each stage raised the score of '{ranking.Confounder}' examples over others of the same label (log-odds):");
        context.WriteTable(
            [">#", "stage", ">score", ">95% interval", ">gap with", ">gap without", ">adjusted p", "significant", "trust"],
            ranking.Ranking.Select((stage, i) => (IReadOnlyList<string>)
            [
                $"{i + 1}",
                stage.Stage,
                Numbers.Signed(stage.Score),
                double.IsNaN(stage.Low) ? "-" : Numbers.Interval(stage.Low, stage.High),
                Numbers.Signed(stage.ObservedGap),
                Numbers.Signed(stage.CounterfactualGap),
                stage.Screen is null ? Numbers.Plain(stage.AdjustedPValue) : "-",
                stage.Screen is { } screen ? $"screened ({screen})" : stage.Significant ? "yes" : "no",
                stage.Trust ?? "-",
            ]));
        BudgetOptions.Print(context, certification);
        TrustNotes.Write(context, [.. ranking.Ranking.Select(stage => (stage.Stage, stage.Score, stage.Trust, stage.Evidence))]);
        foreach (var note in ranking.Notes) context.Note(note);
    }
}
