using System.Globalization;
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
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Hops;

/// <summary>By which confounders the stages of a run are ranked.</summary>
public sealed record RankRequest : JournaledRequest
{
    /// <summary>The groups of the probe whose influence on the score is in question; under a budget one.</summary>
    public required IReadOnlyList<string> Confounders { get; init; }

    /// <summary>How effects are estimated that are not filed yet; under a budget exact replay settles.</summary>
    public Estimator Estimator { get; init; } = Estimator.Exact;

    /// <summary>With fewer rows in a cell (group or rest, within a label) nothing is called significant or not.</summary>
    public int LeastRows { get; init; } = ConfounderRanking.DefaultLeastRows;
}

/// <summary>Rankings, and the effects they were made from.</summary>
/// <param name="Rankings">One per confounder, each with the highest score first.</param>
/// <param name="Effects">Found filed, or attributed for this ranking.</param>
public sealed record Ranked(IReadOnlyList<Filed<RankingArtifact>> Rankings, Filed<EffectsArtifact> Effects);

/// <summary>Effects -> ranking: orders stages by how much each raised the model's reliance on confounders.</summary>
public static class RankHop
{
    /// <summary>Takes effects that are filed for the same run, probe and estimator, or attributes first.</summary>
    /// <exception cref="AttributionException">Settings that do not go together, or no effects can be had.</exception>
    /// <exception cref="AuditException">A run or a probe that cannot be read, or a probe without that group.</exception>
    public static Ranked Run(RankRequest request, WalkHost host)
    {
        if (request.Confounders.Count == 0 || (request.Confounders.Count > 1 && request.Certification is not null))
            throw ConfigurationException.Bad(Setting.Confounder, string.Join(' ', request.Confounders), $"one, with {Setting.Budget}, else one or more");
        if (request.LeastRows < 1)
            throw ConfigurationException.Bad(Setting.LeastRows, request.LeastRows.ToString(CultureInfo.InvariantCulture), "1 or more");
        var question = new AttributionRequest { Estimator = request.Estimator };
        var sweep = request.FurtherSeeds == 0 ? null : new SeedSweep(request, question);
        using var run = request.OpenRun(host);
        var probe = request.ReadProbe(run, host);
        foreach (var confounder in request.Confounders) probe.RequireGroup(confounder);
        var effects = request.Certification is { } certification
            ? AttributeHop.Certify(
                request, run, probe, ConfounderGap.Of(probe, request.Confounders[0]), new AttributionRequest(),
                certification, $"{FileNameOf(request.Confounders[0])}.stage", host)
            : Attributed(request, run, probe, question, host);
        var rankings = ConfounderRanking.Rank(
            effects.Record, probe, request.Confounders, effects.Path, request.LeastRows, sweep?.Effects(effects.Record, host));
        // A ranking by estimates must not take the place of an exact one.
        var by = request.Certification?.Id ?? $"{request.Estimator}";
        return new Ranked([.. rankings.Select(ranking => File(run.Folder, ranking, by, host))], effects);
    }

    private static Filed<RankingArtifact> File(RunFolder folder, RankingArtifact ranking, string by, WalkHost host)
    {
        var path = folder.RankingsPath($"{ranking.Probe.Name}.{FileNameOf(ranking.Confounder)}.{by}");
        ArtifactJson.Write(path, ranking);
        foreach (var warning in ranking.Warnings) host.Observer.Warn(warning);
        return new Filed<RankingArtifact>(ranking, path);
    }

    private static Filed<EffectsArtifact> Attributed(
        RankRequest request, TrainedRun run, Probe probe, AttributionRequest question, WalkHost host)
    {
        var identity = StageAttribution.IdentityOf(run, probe, question);
        // Nothing computes effects of research sources any more: those that are filed answer, whatever computed them.
        return FiledResults.Find(run.Folder, identity, byAnyTool: question.Estimator.IsResearch) is var (effects, path)
            ? new Filed<EffectsArtifact>(effects, path)
            : AttributeHop.Attribute(request, run, probe, question.Validated(), host);
    }

    private static string FileNameOf(string confounder) =>
        new([.. confounder.Select(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' ? character : '_')]);
}
