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
    public const int DefaultLeastRows = Permutation.LeastRows;

    /// <summary>Ranks the stages by one confounder: see the other overload.</summary>
    public static RankingArtifact Rank(
        EffectsArtifact effects,
        Probe probe,
        string confounder,
        string effectsPath,
        int leastRows = DefaultLeastRows,
        IReadOnlyList<EffectsArtifact>? seeds = null) =>
        Rank(effects, probe, [confounder], effectsPath, leastRows, seeds)[0];

    /// <summary>Ranks the stages by each confounder; nothing is computed with the model and nothing is filed.</summary>
    /// <param name="effects">Made with this probe; its scores, observed and counterfactual, are all that is used.</param>
    /// <param name="probe">Whose groups the confounders are.</param>
    /// <param name="confounders">Groups of the probe; the false discovery rate is controlled over all of them together.</param>
    /// <param name="effectsPath">Where they are filed.</param>
    /// <param name="leastRows">With fewer rows in a cell (group or rest, within a label) nothing is called significant or not.</param>
    /// <param name="seeds">The same effects under several seeds, this run's first; null where no other seed was asked.</param>
    public static IReadOnlyList<RankingArtifact> Rank(
        EffectsArtifact effects,
        Probe probe,
        IReadOnlyList<string> confounders,
        string effectsPath,
        int leastRows = DefaultLeastRows,
        IReadOnlyList<EffectsArtifact>? seeds = null)
    {
        var asked = confounders.Select(name => new Asked(ConfounderGap.Of(probe, name), effects, leastRows)).ToArray();
        var stages = asked.SelectMany(one => one.Stages.Select(stage => (One: one, Stage: stage))).ToArray();
        var adjusted = FalseDiscovery.AdjustWhere([.. stages.Select(pair => (pair.Stage.PValue, pair.One.HasEnoughRows))]);
        var over = seeds is null ? null : SeedSummary.Of(
            [.. asked.SelectMany(one => one.Over(seeds)).Zip(stages, (of, pair) => (of.Values, of.PValue, pair.One.HasEnoughRows))]);
        var tested = stages.Select((pair, i) => (pair.One, Stage: pair.Stage with
        {
            OverSeeds = over?[i],
            AdjustedPValue = adjusted[i],
            // What was only screened has a p-value of 1.
            Significant = FalseDiscovery.Verdict(adjusted[i], pair.One.HasEnoughRows),
        })).ToLookup(pair => pair.One, pair => pair.Stage);
        return [.. asked.Select(one => Artifact(one, tested[one], effects, probe, effectsPath, leastRows))];
    }

    private static RankingArtifact Artifact(
        Asked one, IEnumerable<RankedStage> ranking, EffectsArtifact effects, Probe probe, string effectsPath, int leastRows) => new()
        {
            RunId = effects.RunId,
            Run = effects.Run,
            CreatedUtc = DateTime.UtcNow,
            Confounder = one.Gap.Confounder,
            Probe = effects.Probe,
            EffectsPath = effectsPath,
            Effects = effects.Identity,
            Cells = one.Gap.Cells,
            LeastRows = leastRows,
            Ranking = [.. ranking.OrderByDescending(stage => stage.OverSeeds?.Mean ?? stage.Score)],
            Notes =
            [
                "score: how much the stage raised the confounder gap "
                    + "(mean log-odds of the positive class in the subgroup less the background, label held fixed)",
                "significant: in this run, two-sided, by exchanging group membership among rows of one label; false discovery rate 5% over "
                    + "the stages and confounders asked together (Benjamini-Hochberg)",
                effects.Gradient is { } gradient
                    ? $"counterfactuals by replay with gradient source {gradient}"
                    : "screened: not settled by exact replay, so that the score is an estimate without interval and never significant",
            ],
            Warnings =
            [
                .. probe.Warnings,
                .. one.TooFew.Select(cell => new Warning(
                    "too-few-rows",
                    $"too few rows: '{one.Gap.Confounder}' has {cell.Members} and the rest {cell.Others} with label {cell.Label}; "
                        + $"at least {leastRows} of each are needed")),
            ],
        };

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

    /// <summary>One of the confounders asked about, and what the effects say of it before all are tested together.</summary>
    private sealed class Asked(ConfounderGap gap, EffectsArtifact effects, int leastRows)
    {
        private readonly double _observedGap = gap.Evaluate(effects.Observed);

        public ConfounderGap Gap => gap;

        public IReadOnlyList<GapCell> TooFew { get; } =
            [.. gap.Cells.Where(cell => cell.Counts && Math.Min(cell.Members, cell.Others) < leastRows)];

        public bool HasEnoughRows => TooFew.Count == 0;

        /// <summary>In training order, not adjusted.</summary>
        public IEnumerable<RankedStage> Stages => effects.Effects.Select(effect =>
            IsScreened(effect) ? Screened(gap, _observedGap, effect) : Settled(gap, _observedGap, effects, effect));

        /// <summary>Of each stage the score under every seed, and the p-value of the mean under another choice of rows.</summary>
        public IEnumerable<(double[] Values, double PValue)> Over(IReadOnlyList<EffectsArtifact> seeds) => effects.Effects.Select((effect, i) =>
        {
            var runs = seeds.Select(run => (run.Observed, Counterfactual: run.Effects[i].Counterfactual!)).ToArray();
            double[] scores = [.. runs.Select(run => gap.Evaluate(run.Observed) - gap.Evaluate(run.Counterfactual))];
            return (scores, gap.Test(runs, effect.Stage).TwoSided);
        });
    }
}
