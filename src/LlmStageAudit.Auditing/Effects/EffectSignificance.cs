using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>
/// Whether effects are more than the choice of probe rows can bring about, in this run: by exchanging the signs of the rows' paired
/// effects, with the false discovery rate over the effects of a file controlled.
/// </summary>
internal static class EffectSignificance
{
    /// <summary>The effects with their p-values; those that no row's effect is known of, and what only screened, stay without.</summary>
    public static IReadOnlyList<StageEffect> Tested(IReadOnlyList<StageEffect> effects)
    {
        double?[] pValues = [.. effects.Select(effect => IsTestable(effect)
            ? Permutation.SignFlips([.. effect.PerExample.Select(row => row.Estimate)], effect.Stage).TwoSided
            : (double?)null)];
        var adjusted = FalseDiscovery.AdjustWhere([.. pValues.Select(p => (p ?? 1, p is not null))]);
        return
        [
            .. effects.Select((effect, i) => pValues[i] is not { } p ? effect : effect with
            {
                PValue = p,
                AdjustedPValue = adjusted[i],
                Significant = FalseDiscovery.Verdict(adjusted[i], effect.PerExample.Count >= Permutation.LeastRows),
            }),
        ];
    }

    private static bool IsTestable(StageEffect effect) =>
        effect.PerExample.Count > 0 && effect.Estimator is not { IsExact: false }
        && double.IsFinite(effect.Estimate) && effect.PerExample.All(row => double.IsFinite(row.Estimate));
}
