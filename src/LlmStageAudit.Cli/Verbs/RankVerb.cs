using System.CommandLine;
using LlmStageAudit.Attribution;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Screening;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Auditing.Ranking;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Training.Runs;

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
            AttributeVerb.RunArgument, ProbeOptions.Probe, ProbeOptions.Unlabelled, s_confounder, AttributeVerb.Gradient, AttributeVerb.Rho,
            .. BudgetOptions.All, .. ResumeOptions.All, CommonOptions.Device,
        ],
        Run);

    internal static RankingArtifact RankAndFile(TrainedRun run, Probe probe, EffectsArtifact effects, string effectsPath, string confounder)
    {
        var ranking = ConfounderRanking.Rank(effects, probe, confounder, effectsPath);
        ArtifactJson.Write(run.Folder.RankingsPath($"{probe.Reference.Name}.{FileNameOf(confounder)}"), ranking);
        return ranking;
    }

    private static string FileNameOf(string confounder) =>
        new([.. confounder.Select(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' ? character : '_')]);

    private static int Run(VerbContext context)
    {
        var certification = BudgetOptions.Read(context, context.Get(AttributeVerb.Rho), HeadOrder.Highest);
        if (certification is not null && context.Get(AttributeVerb.Gradient) != "exact")
            throw AttributionException.BadOption(
                "--gradient", context.Get(AttributeVerb.Gradient)!, "exact with --budget; --screen names another screen");
        var configuration = ProbeConfigurationReader.Read(context.Get(ProbeOptions.Probe)!);
        using var run = TrainedRun.Open(context.Get(AttributeVerb.RunArgument), context.Device);
        EngineNotes.Write(context, run.Manifest);
        var probe = Probe.Read(configuration, run.Model, run.Materials.Reader, context.Get(ProbeOptions.Unlabelled));
        probe.RequireGroup(context.Get(s_confounder)!);
        var confounder = context.Get(s_confounder)!;
        var (effects, path) = certification is null ? Attributed(context, run, probe) : AttributeVerb.CertifyAndFile(
            context, run, probe, ConfounderGap.Of(probe, confounder), new AttributionRequest(),
            certification, $"{FileNameOf(confounder)}.stage");
        Print(context, RankAndFile(run, probe, effects, path, confounder), effects.Certification);
        return (int)ExitCode.Done;
    }

    private static (EffectsArtifact Effects, string Path) Attributed(VerbContext context, TrainedRun run, Probe probe)
    {
        var estimator = new Estimator { Gradient = context.Get(AttributeVerb.Gradient)!, Rho = context.Get(AttributeVerb.Rho) };
        var request = new AttributionRequest { Estimator = estimator }.Validated();
        return Filed(run, probe, request) ?? AttributeVerb.AttributeAndFile(context, run, probe, request);
    }

    /// <summary>Effects of this run, probe and gradient source that are already there.</summary>
    private static (EffectsArtifact Effects, string Path)? Filed(TrainedRun run, Probe probe, AttributionRequest request)
    {
        var path = run.Folder.EffectsPath($"{probe.Reference.Name}.{request.Id}");
        if (!File.Exists(path)) return null;
        var effects = ArtifactJson.Read<EffectsArtifact>(path);
        var same = effects.RunId == run.Manifest.RunId && effects.Probe.Sha256 == probe.Reference.Sha256
            && effects.Observed.Examples.Select(example => (example.Id, example.Label))
                .SequenceEqual(probe.Examples.Select(example => (example.Id, (int?)example.Label)));
        return same ? (effects, path) : null;
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
