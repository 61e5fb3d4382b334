using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Auditing.Ranking;
using LlmStageAudit.Auditing.Screening;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Hops;

/// <summary>By which confounder the stages of a run are ranked.</summary>
public sealed record RankRequest : JournaledRequest
{
    /// <summary>The group of the probe whose influence on the score is in question.</summary>
    public required string Confounder { get; init; }

    /// <summary>How effects are estimated that are not filed yet; under a budget exact replay settles.</summary>
    public Estimator Estimator { get; init; } = Estimator.Exact;

    /// <summary>With fewer rows in a cell (group or rest, within a label) nothing is called significant or not.</summary>
    public int LeastRows { get; init; } = ConfounderRanking.DefaultLeastRows;

    /// <summary>Seeds beside the run's own under which run and counterfactuals are trained too; 0 for none.</summary>
    public int FurtherSeeds { get; init; }

    /// <summary>What may be spent until the top of the ranking is certain; null for the estimator throughout.</summary>
    public CertificationRequest? Certification { get; init; }
}

/// <summary>A ranking, and the effects it was made from.</summary>
/// <param name="Ranking">Highest score first.</param>
/// <param name="Effects">Found filed, or attributed for this ranking.</param>
public sealed record Ranked(Filed<RankingArtifact> Ranking, Filed<EffectsArtifact> Effects);

/// <summary>Effects -> ranking: orders stages by how much each raised the model's reliance on a confounder.</summary>
public static class RankHop
{
    /// <summary>Takes effects that are filed for the same run, probe and estimator, or attributes first.</summary>
    /// <exception cref="AttributionException">Settings that do not go together, or no effects can be had.</exception>
    /// <exception cref="AuditException">A run or a probe that cannot be read, or a probe without that group.</exception>
    public static Ranked Run(RankRequest request, WalkHost host)
    {
        if (request is { FurtherSeeds: not 0, Certification: not null })
            throw ConfigurationException.Bad(Setting.Seeds, $"with {Setting.Budget}", "every stage by exact replay");
        var question = new AttributionRequest { Estimator = request.Estimator };
        var sweep = request.FurtherSeeds == 0 ? null : new SeedSweep(request, question, request.FurtherSeeds);
        using var run = request.OpenRun(host);
        var probe = request.ReadProbe(run, host);
        probe.RequireGroup(request.Confounder);
        var effects = request.Certification is { } certification
            ? AttributeHop.Certify(
                request, run, probe, ConfounderGap.Of(probe, request.Confounder), new AttributionRequest(),
                certification, $"{FileNameOf(request.Confounder)}.stage", host)
            : Attributed(request, run, probe, question, host);
        var ranking = ConfounderRanking.Rank(effects.Record, probe, request.Confounder, effects.Path, request.LeastRows, sweep?.Effects(effects.Record, host));
        var path = run.Folder.RankingsPath($"{probe.Reference.Name}.{FileNameOf(request.Confounder)}");
        ArtifactJson.Write(path, ranking);
        foreach (var warning in ranking.Warnings) host.Observer.Warn(warning);
        return new Ranked(new Filed<RankingArtifact>(ranking, path), effects);
    }

    private static Filed<EffectsArtifact> Attributed(
        RankRequest request, TrainedRun run, Probe probe, AttributionRequest question, WalkHost host)
    {
        var identity = StageAttribution.IdentityOf(run, probe, question);
        return FiledResults.Find(run.Folder, identity) is var (effects, path)
            ? new Filed<EffectsArtifact>(effects, path)
            : AttributeHop.Attribute(request, run, probe, question, host);
    }

    private static string FileNameOf(string confounder) =>
        new([.. confounder.Select(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' ? character : '_')]);
}
