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
    private static readonly Option<string> s_confounder =
        new("--confounder", "-c") { Description = "The group of the probe whose influence on the score is in question", Required = true };

    private static readonly Option<int> s_leastRows = new("--least-rows")
    {
        Description = "With fewer rows of a label in the group or outside it, nothing is called significant or not",
        DefaultValueFactory = _ => ConfounderRanking.DefaultLeastRows,
    };

    public static Command Build() => Verb.Of(
        "rank",
        "Orders stages by how much each raised the model's reliance on a confounder, with significance.",
        [
            "stageaudit rank runs/a --probe probes/identity.yaml --confounder muslim",
            "stageaudit rank runs/a --probe probes/identity.yaml --confounder muslim --seeds 4",
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
                Confounder = context.Get(s_confounder)!,
                LeastRows = context.Get(s_leastRows),
                // Under a budget the share is the screen's.
                Estimator = new Estimator.Replay(GradientSource.Of(gradient, certification is null ? rho : null)),
                Certification = certification,
                FurtherSeeds = context.Get(RunOptions.Seeds),
                Resume = context.Get(ResumeOptions.Resume),
                SaveInterval = ResumeOptions.SaveInterval(context),
            },
            context.Host);
        var (ranking, certified) = (ranked.Ranking.Record, ranked.Effects.Record.Certification);
        context.Print(
            new
            {
                ranking.RunId,
                ranking.Confounder,
                Probe = ranking.Probe.Name,
                Ranking = ranking.Ranking.Select(stage => Entry(stage, ranking)),
                ranking.Cells,
                ranking.LeastRows,
                Certification = certified,
                ranking.EffectsPath,
                ranking.Notes,
            },
            () => Print(context, ranking, certified));
    }

    private static JsonNode Entry(RankedStage stage, RankingArtifact ranking)
    {
        var entry = JsonSerializer.SerializeToNode(stage, ArtifactJson.Options)!;
        var counted = ranking.Cells.Where(cell => cell.Counts).ToArray();
        (entry["members"], entry["others"]) = (counted.Sum(cell => cell.Members), counted.Sum(cell => cell.Others));
        return entry;
    }

    private static void Print(VerbContext context, RankingArtifact ranking, Certification? certification)
    {
        context.Out.WriteLine(
            $"How much each stage raised the score of '{ranking.Confounder}' examples over others of the same label (log-odds):");
        context.WriteTable(
            ranking.Ranking.Index(),
            (">#", row => $"{row.Index + 1}"),
            ("stage", row => row.Item.Stage),
            (">score", row => Numbers.Signed(row.Item.Score)),
            (">95% interval", row => double.IsNaN(row.Item.Low) ? null : Numbers.Interval(row.Item.Low, row.Item.High)),
            (">gap with", row => Numbers.Signed(row.Item.ObservedGap)),
            (">gap without", row => Numbers.Signed(row.Item.CounterfactualGap)),
            (">adjusted p", row => row.Item.Screen is null ? Numbers.Plain(row.Item.AdjustedPValue) : null),
            ("significant in this run", row => row.Item.Screen is { } screen
                ? $"screened ({screen})"
                : EnumSpelling<Significance>.Of(row.Item.Significant)),
            ("trust", row => row.Item.Trust));
        SeedTable.Write(context, [.. ranking.Ranking.Select(stage => (stage.Stage, stage.OverSeeds))]);
        BudgetOptions.Print(context, certification);
        TrustNotes.Write(context, [.. ranking.Ranking.Select(stage => (stage.Stage, stage.Score, stage.Trust, stage.Evidence))]);
        foreach (var note in ranking.Notes) context.Note(note);
    }
}
