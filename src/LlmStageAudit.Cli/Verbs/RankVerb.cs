using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Screening;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Auditing.Ranking;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Cli.Verbs;

internal static class RankVerb
{
    private static readonly Option<string[]> s_confounder = new("--confounder", "-c")
    {
        Description = "The groups of the probe whose influence on the score is in question",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<int> s_leastRows = new("--least-rows")
    {
        Description = "With fewer rows of a label in the group or outside it, nothing is called significant or not",
        DefaultValueFactory = _ => ConfounderRanking.DefaultLeastRows,
    };

    public static Command Build() => Verb.Of(
        "rank",
        "Orders stages by how much each raised the model's reliance on confounders, with significance.",
        [
            "stageaudit rank runs/a --probe probes/identity.yaml --confounder muslim",
            "stageaudit rank runs/a --probe probes/identity.yaml --confounder muslim black --seeds 4",
            "stageaudit rank runs/a --probe probes/identity.yaml --confounder muslim --budget 2x",
        ],
        [
            RunOptions.Run, .. ProbeOptions.All, s_confounder, s_leastRows, RunOptions.Seeds, RunOptions.Gradient, RunOptions.Rho,
            .. BudgetOptions.All, .. ResumeOptions.All, CommonOptions.Device,
        ],
        Run);

    private static void Run(VerbContext context)
    {
        var (gradient, rho) = (context.Get(RunOptions.Gradient)!, context.Get(RunOptions.Rho));
        var certification = BudgetOptions.Read(context, rho, TopKOrder.Highest);
        if (certification is not null && gradient != "exact")
            throw ConfigurationException.Bad(Setting.GradientSource, gradient, "exact with --budget; --screen names another screen");
        var ranked = RankHop.Run(
            new RankRequest
            {
                Run = context.Get(RunOptions.Run),
                Probe = ProbeOptions.Read(context),
                Unlabelled = context.Get(ProbeOptions.Unlabelled),
                Confounders = context.Get(s_confounder)!,
                LeastRows = context.Get(s_leastRows),
                // Under a budget the share is the screen's.
                Estimator = new Estimator.Replay(GradientSource.Of(gradient, certification is null ? rho : null)),
                Certification = certification,
                FurtherSeeds = context.Get(RunOptions.Seeds),
                Resume = context.Get(ResumeOptions.Resume),
                SaveInterval = ResumeOptions.SaveInterval(context),
            },
            context.Host);
        RankingArtifact[] rankings = [.. ranked.Rankings.Select(filed => filed.Record)];
        var certified = ranked.Effects.Record.Certification;
        context.Print(
            new
            {
                rankings[0].RunId,
                Confounder = rankings.Length == 1 ? rankings[0].Confounder : null,
                Confounders = rankings.Select(ranking => new { ranking.Confounder, ranking.Cells }),
                Probe = rankings[0].Probe.Name,
                Ranking = rankings.SelectMany(ranking => ranking.Ranking.Select(stage => Entry(stage, ranking))),
                Holds = SeedTable.Reach(rankings[0].Ranking.FirstOrDefault()?.OverSeeds),
                rankings[0].LeastRows,
                Certification = certified,
                rankings[0].EffectsPath,
                rankings[0].Notes,
                Files = ranked.Rankings.Select(ranking => ranking.Path),
            },
            () =>
            {
                foreach (var ranking in rankings) Print(context, ranking);
                BudgetOptions.Print(context, certified);
                foreach (var note in rankings[0].Notes) context.Note(note);
            });
    }

    private static JsonNode Entry(RankedStage stage, RankingArtifact ranking)
    {
        var entry = JsonSerializer.SerializeToNode(stage, ArtifactJson.Options)!;
        entry["confounder"] = ranking.Confounder;
        var counted = ranking.Cells.Where(cell => cell.Counts).ToArray();
        (entry["members"], entry["others"]) = (counted.Sum(cell => cell.Members), counted.Sum(cell => cell.Others));
        return entry;
    }

    private static void Print(VerbContext context, RankingArtifact ranking)
    {
        context.Out.WriteLine(
            $"How much each stage raised the score of '{ranking.Confounder}' examples over others of the same label (log-odds)"
            + (ranking.Ranking.Any(stage => stage.OverSeeds is not null) ? ", in the order of the means over seeds below:" : ":"));
        context.WriteTable(
            ranking.Ranking.Index(),
            (">#", row => $"{row.Index + 1}"),
            ("stage", row => row.Item.Stage),
            (">score", row => Numbers.Signed(row.Item.Score)),
            (">95% interval", row => double.IsNaN(row.Item.Low) ? null : Numbers.Interval(row.Item.Low, row.Item.High)),
            (">gap with", row => Numbers.Signed(row.Item.ObservedGap)),
            (">gap without", row => Numbers.Signed(row.Item.CounterfactualGap)),
            (">adjusted p", row => row.Item is { Screen: null, Significant: not Significance.TooFewRows }
                ? Numbers.Plain(row.Item.AdjustedPValue) : null),
            ("significant in this run", row => row.Item.Screen is { } screen
                ? $"screened ({screen})"
                : EnumSpelling<Significance>.Of(row.Item.Significant)),
            ("trust", row => row.Item.Trust is { } trust ? EnumSpelling<TrustGrade>.Of(trust) : null));
        SeedTable.Write(context, [.. ranking.Ranking.Select(stage => (stage.Stage, stage.OverSeeds))]);
        TrustNotes.Write(context, [.. ranking.Ranking.Select(stage => (stage.Stage, stage.Score, stage.Trust, stage.Evidence))]);
    }
}
