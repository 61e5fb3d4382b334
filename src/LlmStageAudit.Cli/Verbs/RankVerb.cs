using System.CommandLine;
using LlmStageAudit.Artifacts.Configuration;
using LlmStageAudit.Artifacts.Effects;
using LlmStageAudit.Artifacts.Errors;
using LlmStageAudit.Artifacts.Rankings;
using LlmStageAudit.Artifacts.Serialization;
using LlmStageAudit.Attribution.Effects;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Ranking;
using LlmStageAudit.Auditing.Probes;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Cli.Verbs;

internal static class RankVerb
{
    private static readonly Option<string> s_confounder = new("--confounder", "-c") { Description = "The group of the probe whose influence on the score is in question", Required = true };

    public static Command Build() => Verb.Of(
        "rank",
        "Orders stages by how much each raised the model's reliance on a confounder, with significance.",
        ["stageaudit rank runs/a --probe probes/identity.yaml --confounder muslim"],
        [AttributeVerb.RunArgument, ProbeOptions.Probe, ProbeOptions.Unlabelled, s_confounder, AttributeVerb.Gradient, CommonOptions.Device],
        Run);

    internal static RankingArtifact RankAndFile(TrainedRun run, Probe probe, EffectsArtifact effects, string effectsPath, string confounder)
    {
        var ranking = ConfounderRanking.Rank(effects, probe, confounder, effectsPath);
        var id = new string([.. confounder.Select(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' ? character : '_')]);
        ArtifactJson.Write(run.Folder.RankingsPath($"{probe.Reference.Name}.{id}"), ranking);
        return ranking;
    }

    private static int Run(VerbContext context)
    {
        var configuration = ProbeConfigurationReader.Read(context.Get(ProbeOptions.Probe)!);
        using var run = TrainedRun.Open(context.Get(AttributeVerb.RunArgument), context.Device);
        var probe = Probe.Read(configuration, run.Model, run.Materials.Reader, context.Get(ProbeOptions.Unlabelled));
        probe.RequireGroup(context.Get(s_confounder)!);
        var request = new AttributionRequest { Estimator = new Estimator { Gradient = context.Get(AttributeVerb.Gradient)! } };
        var (effects, path) = Filed(run, probe, request) ?? AttributeVerb.AttributeAndFile(context, run, probe, request);
        Print(context, RankAndFile(run, probe, effects, path, context.Get(s_confounder)!));
        return (int)ExitCode.Done;
    }

    /// <summary>Effects of this run, probe and gradient source that are already there.</summary>
    private static (EffectsArtifact Effects, string Path)? Filed(TrainedRun run, Probe probe, AttributionRequest request)
    {
        var path = run.Folder.EffectsPath($"{probe.Reference.Name}.{request.Id}");
        if (!File.Exists(path)) return null;
        var effects = ArtifactJson.Read<EffectsArtifact>(path);
        var same = effects.RunId == run.Manifest.RunId && effects.Probe.Sha256 == probe.Reference.Sha256
            && effects.Observed.Examples.Select(example => (example.Id, example.Label)).SequenceEqual(probe.Examples.Select(example => (example.Id, (int?)example.Label)));
        return same ? (effects, path) : null;
    }

    private static void Print(VerbContext context, RankingArtifact ranking)
    {
        if (context.Json)
        {
            context.WriteJson(new { SchemaVersion = 1, ranking.RunId, ranking.Confounder, Probe = ranking.Probe.Name, ranking.Ranking, ranking.EffectsPath, ranking.Notes });
            return;
        }

        context.Out.WriteLine($"How much each stage raised the score of '{ranking.Confounder}' examples over others of the same label (log-odds):");
        context.WriteTable(
            [">#", "stage", ">score", ">95% interval", ">gap with", ">gap without", ">adjusted p", "significant"],
            ranking.Ranking.Select((stage, i) => (IReadOnlyList<string>)
            [
                $"{i + 1}", stage.Stage, Numbers.Signed(stage.Score), Numbers.Interval(stage.Low, stage.High), Numbers.Signed(stage.ObservedGap),
                Numbers.Signed(stage.CounterfactualGap), Numbers.Plain(stage.AdjustedPValue), stage.Significant ? "yes" : "no",
            ]));
        foreach (var note in ranking.Notes) context.Note(note);
    }
}
