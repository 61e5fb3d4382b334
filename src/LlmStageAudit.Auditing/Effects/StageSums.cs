using System.Globalization;
using LlmStageAudit.Attribution;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>
/// A first-order effect of many steps together is a sum that may be far off where each of its parts is right. The largest, which is the
/// answer, is settled by exact replay of that one question; no other sum is graded better than that one turned out.
/// </summary>
internal static class StageSums
{
    /// <summary>The effects, the largest of them exact, and the cost with that of its replay.</summary>
    public static (IReadOnlyList<StageEffect> Effects, double GradientEquivalents) Settle(
        Inquiry asked, (IReadOnlyList<StageEffect> Effects, double GradientEquivalents) summed)
    {
        if (asked.Request.Estimator is not Estimator.Adjoint) return summed;
        var largest = summed.Effects.MaxBy(effect => double.IsFinite(effect.Estimate) ? Math.Abs(effect.Estimate) : -1)!;
        var exact = StageAttribution.Attribute(asked with
        {
            Request = asked.Request with { Estimator = Estimator.Exact, Only = [largest.Stage] },
        });
        var settled = exact.Effects[0];
        var error = ErrorOf(largest, settled);
        return (
            [.. summed.Effects.Select(effect => effect == largest
                ? settled with { Estimator = Estimator.Exact, Screened = largest.Estimate }
                : NoBetterThan(effect, largest.Stage, error))],
            summed.GradientEquivalents + exact.GradientEquivalents);
    }

    private static double ErrorOf(StageEffect summed, StageEffect exact) => summed.PerExample.Count == 0
        ? Correlation.RelativeError([summed.Estimate], [exact.Estimate])
        : Correlation.RelativeError(
            [.. summed.PerExample.Select(example => example.Estimate)], [.. exact.PerExample.Select(example => example.Estimate)]);

    private static StageEffect NoBetterThan(StageEffect effect, string settled, double error)
    {
        // What was not carried through any step has an error that was measured.
        if (effect.Evidence is not { PredictedError: not null } evidence) return effect;
        var bound = TrustPromise.Of(error);
        return effect with
        {
            Trust = bound > effect.Trust ? bound : effect.Trust,
            Evidence = evidence with
            {
                Reason = string.Create(
                    CultureInfo.InvariantCulture, $"{evidence.Reason}; the sum of {settled}, settled by exact replay, is {error:P0} off"),
            },
        };
    }
}
