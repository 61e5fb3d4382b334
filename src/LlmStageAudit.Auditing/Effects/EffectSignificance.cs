using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>
/// Whether effects are more than the choice of probe rows can bring about, in this run: by exchanging the signs of the rows' paired
/// effects, with the false discovery rate over the effects of a file controlled.
/// </summary>
internal static class EffectSignificance
{
    /// <summary>With fewer rows no test can tell.</summary>
    public const int LeastRows = 5;

    /// <summary>The effects with their p-values; those that no row's effect is known of, and what only screened, stay without.</summary>
    public static IReadOnlyList<StageEffect> Tested(IReadOnlyList<StageEffect> effects)
    {
        var tested = effects.Where(IsTestable).ToArray();
        double[] pValues = [.. tested.Select(effect =>
            Permutation.SignFlips([.. effect.PerExample.Select(row => row.Estimate)], effect.Stage).TwoSided)];
        var adjusted = tested.Zip(pValues.Zip(FalseDiscovery.Adjust(pValues))).ToDictionary(pair => pair.First, pair => pair.Second);
        return
        [
            .. effects.Select(effect => !adjusted.TryGetValue(effect, out var p) ? effect : effect with
            {
                PValue = p.First,
                AdjustedPValue = p.Second,
                Significant = effect.PerExample.Count < LeastRows ? Significance.TooFewRows
                    : p.Second <= FalseDiscovery.Rate ? Significance.Yes : Significance.No,
            }),
        ];
    }

    private static bool IsTestable(StageEffect effect) =>
        effect.PerExample.Count > 0 && effect.Estimator is not { IsExact: false }
        && double.IsFinite(effect.Estimate) && effect.PerExample.All(row => double.IsFinite(row.Estimate));
}
