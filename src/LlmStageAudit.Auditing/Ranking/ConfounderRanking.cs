using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Rankings;

namespace LlmStageAudit.Auditing.Ranking;

/// <summary>
/// Orders stages by how much each raised the model's reliance on a confounder: gap(observed) - gap(without the stage), highest
/// first. A stage is significant where exchanging group membership among rows of one label hardly ever gives as large a score, with the
/// false discovery rate over the stages controlled at 5%: in this run, for another seed may say otherwise. Over several seeds it is the
/// mean that must be out of luck's reach, that of the rows and that of the seeds; then the order is by the mean, too.
/// </summary>
public static class ConfounderRanking
{
    /// <summary>The least rows of a cell where nothing else is asked for.</summary>
    public const int DefaultLeastRows = 5;

    /// <summary>Ranks the stages; nothing is computed with the model and nothing is filed.</summary>
    /// <param name="effects">Made with this probe; its scores, observed and counterfactual, are all that is used.</param>
    /// <param name="probe">Whose groups the confounder is one of.</param>
    /// <param name="confounder">One of the probe's groups.</param>
    /// <param name="effectsPath">Where they are filed.</param>
    /// <param name="leastRows">With fewer rows in a cell (group or rest, within a label) nothing is called significant or not.</param>
    /// <param name="seeds">The same effects under several seeds, this run's first; null where no other seed was asked.</param>
    public static RankingArtifact Rank(
        EffectsArtifact effects,
        Probe probe,
        string confounder,
        string effectsPath,
        int leastRows = DefaultLeastRows,
        IReadOnlyList<EffectsArtifact>? seeds = null)
    {
        var gap = ConfounderGap.Of(probe, confounder);
        var tooFew = gap.Cells.Where(cell => cell.Counts && Math.Min(cell.Members, cell.Others) < leastRows).ToArray();
        var observedGap = gap.Evaluate(effects.Observed);
        var results = effects.Effects.Select(effect => IsScreened(effect)
            ? Screened(gap, observedGap, effect)
            : Settled(gap, observedGap, effects, effect)).ToArray();
        var adjusted = FalseDiscovery.Adjust([.. results.Select(result => result.PValue)]);
        var overSeeds = seeds is null ? null : OverSeeds(gap, seeds, tooFew.Length > 0);
        var ranking = results.Select((result, i) => result with
        {
            OverSeeds = overSeeds?[i],
            AdjustedPValue = adjusted[i],
            Significant = tooFew.Length > 0 ? Significance.TooFewRows
                : result.Screen is null && adjusted[i] <= FalseDiscovery.Rate ? Significance.Yes : Significance.No,
        });
        return new RankingArtifact
        {
            RunId = effects.RunId,
            Run = effects.Run,
            CreatedUtc = DateTime.UtcNow,
            Confounder = confounder,
            Probe = effects.Probe,
            EffectsPath = effectsPath,
            Effects = effects.Identity,
            Cells = gap.Cells,
            LeastRows = leastRows,
            Ranking = [.. ranking.OrderByDescending(stage => stage.OverSeeds?.Mean ?? stage.Score)],
            Notes =
            [
                "score: how much the stage raised the confounder gap "
                    + "(mean log-odds of the positive class in the subgroup less the background, label held fixed)",
                "significant: in this run, two-sided, by exchanging group membership among rows of one label; false discovery rate 5% over "
                    + "the stages (Benjamini-Hochberg)",
                effects.Gradient is { } gradient
                    ? $"counterfactuals by replay with gradient source {gradient}"
                    : "screened: not settled by exact replay, so that the score is an estimate without interval and never significant",
            ],
            Warnings =
            [
                .. probe.Warnings,
                .. tooFew.Select(cell => new Warning(
                    "too-few-rows",
                    $"too few rows: '{confounder}' has {cell.Members} and the rest {cell.Others} with label {cell.Label}; "
                        + $"at least {leastRows} of each are needed")),
            ],
        };
    }

    private static IReadOnlyList<OverSeeds> OverSeeds(ConfounderGap gap, IReadOnlyList<EffectsArtifact> seeds, bool tooFewRows)
    {
        var stages = Enumerable.Range(0, seeds[0].Effects.Count).Select(stage => seeds.Select(run =>
            (run.Observed, Counterfactual: run.Effects[stage].Counterfactual!)).ToArray()).ToArray();
        return SeedSummary.Of(
            [.. stages.Select(runs => runs.Select(run => gap.Evaluate(run.Observed) - gap.Evaluate(run.Counterfactual)).ToArray())],
            [.. stages.Select((runs, stage) => gap.Test(runs, seeds[0].Effects[stage].Stage).TwoSided)],
            tooFewRows);
    }

    /// <summary>Whether the effect of a mixed file is an estimate that exact replay did not settle.</summary>
    private static bool IsScreened(StageEffect effect) => effect.Estimator is { IsExact: false };

    private static RankedStage Settled(ConfounderGap gap, double observedGap, EffectsArtifact effects, StageEffect effect)
    {
        var result = gap.Effect(effects.Observed, effect.Counterfactual!, effect.Stage);
        return new RankedStage
        {
            Stage = effect.Stage,
            Trust = effect.Trust,
            Evidence = effect.Evidence,
            Score = result.Estimate,
            Low = result.Low,
            High = result.High,
            PValue = gap.Test([(effects.Observed, effect.Counterfactual!)], effect.Stage).TwoSided,
            AdjustedPValue = 1,
            Significant = Significance.No,
            ObservedGap = observedGap,
            CounterfactualGap = gap.Evaluate(effect.Counterfactual!),
        };
    }

    /// <summary>From the counterfactual where a replay screened, else what a sweep of the gap said.</summary>
    private static RankedStage Screened(ConfounderGap gap, double observedGap, StageEffect effect)
    {
        var without = effect.Counterfactual is { } counterfactual ? gap.Evaluate(counterfactual) : observedGap - effect.Estimate;
        return new RankedStage
        {
            Stage = effect.Stage,
            Trust = effect.Trust,
            Evidence = effect.Evidence,
            Screen = effect.Estimator,
            Score = observedGap - without,
            Low = double.NaN,
            High = double.NaN,
            PValue = 1,
            AdjustedPValue = 1,
            Significant = Significance.No,
            ObservedGap = observedGap,
            CounterfactualGap = without,
        };
    }
}
