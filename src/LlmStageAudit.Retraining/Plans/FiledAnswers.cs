using System.Globalization;
using LlmStageAudit.Records;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Retraining.Plans;

/// <summary>The effects of whole stages and the rankings that are filed in a run, and which of them answers a question best.</summary>
internal sealed class FiledAnswers
{
    private readonly RunFolder _folder;
    private readonly string _runId;
    private readonly IReadOnlyList<VerificationArtifact> _verifications;

    public FiledAnswers(RunFolder folder)
    {
        (_folder, _runId) = (folder, folder.ReadManifest().RunId);
        _verifications = [.. FiledResults.Verifications(folder)];
        Effects =
        [
            .. FiledResults.Files(folder.EffectsFolder).Select(path => new FiledEffects(ArtifactJson.Read<EffectsArtifact>(path), path))
                .Where(one => one.Effects.RunId == _runId && one.Effects.Treatment is Treatment.Stage),
        ];
        Rankings =
        [
            .. FiledResults.Files(folder.RankingsFolder).Select(path => new FiledRanking(ArtifactJson.Read<RankingArtifact>(path), path))
                .Where(one => one.Ranking.RunId == _runId),
        ];
    }

    public IReadOnlyList<FiledEffects> Effects { get; }

    public IReadOnlyList<FiledRanking> Rankings { get; }

    /// <summary>Among how many a choice was made, to end a sentence with.</summary>
    public static string BestOf(int count) =>
        count > 1 ? string.Create(CultureInfo.InvariantCulture, $", the best trust of {count} that are filed") : "";

    /// <summary>Effects that are named.</summary>
    /// <exception cref="RetrainingException">They are of another run.</exception>
    public FiledEffects EffectsAt(string path)
    {
        var effects = ArtifactJson.Read<EffectsArtifact>(path);
        return effects.RunId == _runId ? new(effects, path) : throw RetrainingException.OtherRun(path, effects.RunId, _runId);
    }

    /// <summary>A ranking that is named; null where the file is none.</summary>
    /// <exception cref="RetrainingException">It is of another run.</exception>
    public RankingArtifact? RankingAt(string path)
    {
        if (ArtifactJson.KindOf(path) != RankingArtifact.KindName) return null;
        var ranking = ArtifactJson.Read<RankingArtifact>(path);
        return ranking.RunId == _runId ? ranking : throw RetrainingException.OtherRun(path, ranking.RunId, _runId);
    }

    /// <summary>The effects of the best trust in some stages, then in all; null where there are none.</summary>
    /// <exception cref="RetrainingException">They are on different probes or metrics.</exception>
    public FiledEffects? Best(IReadOnlyList<FiledEffects> candidates, IReadOnlyList<string>? stages)
    {
        if (candidates.Count == 0) return null;
        if (!AnswerOneQuestion(candidates)) throw RetrainingException.Ambiguous(_folder.Root, "effects", Names(candidates));
        return candidates
            .OrderBy(one => Trust(one.Effects, stages))
            .ThenBy(one => Trust(one.Effects, null))
            .ThenBy(one => one.Effects.ToolVersion != RunEngine.ToolVersion)
            .ThenBy(one => one.Path, StringComparer.Ordinal)
            .First();
    }

    /// <summary>The effects of the best trust on a ranking's probe and metric; null where none are filed.</summary>
    public FiledEffects? BestOf(RankingArtifact ranking, IReadOnlyList<string> stages)
    {
        var own = Path.GetFileName(ranking.EffectsPath);
        var asked = ranking.Effects ?? Effects.FirstOrDefault(one => Path.GetFileName(one.Path) == own)?.Effects.Identity;
        return asked is null ? null : Best([.. Effects.Where(one => one.Effects.Identity.AsksTheSame(asked))], stages);
    }

    /// <summary>The ranking of the best trust in its first stages, then in all; null where there are none.</summary>
    /// <exception cref="RetrainingException">They are by different confounders or on different probes.</exception>
    public FiledRanking? BestRanking(int count)
    {
        if (Rankings.DistinctBy(one => (one.Ranking.Confounder, one.Ranking.Probe.Sha256, one.Ranking.Probe.DefinitionSha256)).Count() > 1)
            throw RetrainingException.Ambiguous(_folder.Root, "rankings", Names(Rankings.Select(one => one.Path)));
        return Rankings
            .OrderBy(one => Trust(one.Ranking, count))
            .ThenBy(one => Trust(one.Ranking, one.Ranking.Ranking.Count))
            .ThenBy(one => one.Path, StringComparer.Ordinal)
            .FirstOrDefault();
    }

    public static bool AnswerOneQuestion(IReadOnlyList<FiledEffects> candidates) =>
        candidates.All(one => one.Effects.Identity.AsksTheSame(candidates[0].Effects.Identity));

    public string Names(IEnumerable<FiledEffects> effects) => Names(effects.Select(one => one.Path));

    public string Shown(FiledRanking ranking, int count) =>
        $"{Name(ranking.Path)} ({ranking.Ranking.Confounder} on {ranking.Ranking.Probe.Name}, trust "
            + $"{EnumSpelling<TrustGrade>.Of(Trust(ranking.Ranking, count))})";

    public string Shown(FiledEffects? predictions, IReadOnlyList<string> stages) => predictions is null
        ? "no effects of whole stages are filed, so that nothing is predicted"
        : $"predicted by {Name(predictions.Path)} ({predictions.Effects.Metric} on {predictions.Effects.Probe.Name}, "
            + $"{predictions.Effects.Estimator?.ToString() ?? predictions.Effects.Method}, trust "
            + $"{EnumSpelling<TrustGrade>.Of(Trust(predictions.Effects, stages))})";

    /// <summary>The least trust that stands of effects of some stages, or of all; unknown where one of them has none.</summary>
    private TrustGrade Trust(EffectsArtifact effects, IReadOnlyList<string>? stages) =>
        (stages ?? [.. effects.Effects.Select(effect => effect.Stage)])
            .Select(stage => effects.Effects.FirstOrDefault(effect => effect.Stage == stage))
            .Select(effect => effect is null ? TrustGrade.Unknown : Standing.Of(effects, effect, _verifications).Trust)
            .DefaultIfEmpty(TrustGrade.Unknown).Max();

    private static TrustGrade Trust(RankingArtifact ranking, int count) =>
        ranking.Ranking.Take(count).Select(stage => stage.Trust ?? TrustGrade.Unknown).DefaultIfEmpty(TrustGrade.Unknown).Max();

    private string Names(IEnumerable<string> paths) => string.Join(", ", paths.Select(Name).Order(StringComparer.Ordinal));

    private string Name(string path)
    {
        var inside = Path.GetRelativePath(_folder.Root, Path.GetFullPath(path));
        return inside.StartsWith("..", StringComparison.Ordinal) ? path : inside;
    }
}
