using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;
using LlmStageAudit.Records.Runs;

namespace LlmStageAudit.Retraining.Plans;

/// <summary>
/// What a plan goes by: the stages it leaves out and the effects it expects. Of results that answer the same question (probe, metric,
/// confounder) it takes those of the best trust, whenever they were written; where results answer different questions it takes the one that
/// is named, or none of them.
/// </summary>
/// <param name="Skip">Stages to leave out, one job each.</param>
/// <param name="Predictions">The effects to verify; null where there are none.</param>
/// <param name="Reason">What was chosen and why, in a sentence.</param>
internal sealed record PlanBasis(IReadOnlyList<string> Skip, FiledEffects? Predictions, string Reason)
{
    /// <summary>The stages that are named, with the best prediction of their effects.</summary>
    /// <param name="folder">The run.</param>
    /// <param name="skip">Stages to leave out.</param>
    /// <param name="from">Effects, or a ranking whose effects are meant; null: the best that is filed.</param>
    /// <exception cref="RetrainingException">They are of another run.</exception>
    public static PlanBasis Of(RunFolder folder, IReadOnlyList<string> skip, string? from)
    {
        var filed = new FiledAnswers(folder);
        if (from is not null)
        {
            var named = filed.RankingAt(from) is { } ranking ? filed.BestOf(ranking, skip) : filed.EffectsAt(from);
            return new(skip, named, $"{filed.Shown(named, skip)}, as asked for");
        }

        // Named stages can be retrained without, whatever is predicted.
        if (!FiledAnswers.AnswerOneQuestion(filed.Effects))
        {
            return new(
                skip, null,
                $"effects on different questions are filed ({filed.Names(filed.Effects)}), so that nothing is predicted unless one of them "
                    + $"is named with {Setting.PlannedFrom}");
        }

        var best = filed.Best(filed.Effects, skip);
        return new(skip, best, filed.Shown(best, skip) + FiledAnswers.BestOf(filed.Effects.Count));
    }

    /// <summary>
    /// The stages worth leaving out first: those that rank highest, or, where nothing is ranked, whose effects are largest in size.
    /// </summary>
    /// <param name="folder">The run.</param>
    /// <param name="count">How many at most.</param>
    /// <param name="from">A ranking or effects; null: the best that is filed.</param>
    /// <exception cref="RetrainingException">Nothing is filed, or results on different questions, none of which is named.</exception>
    public static PlanBasis Automatic(RunFolder folder, int count, string? from)
    {
        var filed = new FiledAnswers(folder);
        if (from is not null)
        {
            return filed.RankingAt(from) is { } named
                ? ByRanking(new(named, from), ", as asked for")
                : BySize(filed.EffectsAt(from), ", as asked for");
        }

        if (filed.BestRanking(count) is { } best) return ByRanking(best, FiledAnswers.BestOf(filed.Rankings.Count));
        var effects = filed.Best(filed.Effects, null) ?? throw RetrainingException.NothingToChoose(folder.Root);
        return BySize(effects, FiledAnswers.BestOf(filed.Effects.Count));

        PlanBasis ByRanking(FiledRanking ranking, string why)
        {
            string[] skip = [.. ranking.Ranking.Ranking.Take(count).Select(stage => stage.Stage)];
            var predictions = filed.BestOf(ranking.Ranking, skip);
            return new(skip, predictions, $"the first of {filed.Shown(ranking, count)}{why}; {filed.Shown(predictions, skip)}");
        }

        PlanBasis BySize(FiledEffects largest, string why)
        {
            string[] skip =
            [
                .. largest.Effects.Effects.Where(effect => double.IsFinite(effect.Estimate))
                    .OrderByDescending(effect => Math.Abs(effect.Estimate)).Take(count).Select(effect => effect.Stage),
            ];
            return new(skip, largest, $"the largest effects; {filed.Shown(largest, skip)}{why}");
        }
    }
}

/// <summary>Effects, and where they are filed.</summary>
internal sealed record FiledEffects(EffectsArtifact Effects, string Path);

/// <summary>A ranking, and where it is filed.</summary>
internal sealed record FiledRanking(RankingArtifact Ranking, string Path);
