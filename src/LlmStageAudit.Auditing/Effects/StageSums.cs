using System.Globalization;
using LlmStageAudit.Attribution;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>
/// A first-order effect of a whole stage is a sum over its steps that may be far off where each of its parts is right. The largest, which
/// is the answer, is settled by exact replay of that one question; no other sum is graded better than that one turned out.
/// </summary>
internal static class StageSums
{
    /// <summary>The effects, the largest of a whole stage exact, and the cost with that of its replay.</summary>
    /// <param name="asked">What was asked; other estimators than the adjoint are left as they are.</param>
    /// <param name="questions">One per effect.</param>
    /// <param name="estimated">What was estimated, and its cost.</param>
    public static (IReadOnlyList<StageEffect> Effects, double GradientEquivalents) Settle(
        Inquiry asked,
        IReadOnlyList<Counterfactual> questions,
        (IReadOnlyList<StageEffect> Effects, double GradientEquivalents) estimated)
    {
        StageEffect[] sums = [.. estimated.Effects.Where((_, i) => IsOfWholeStages(asked, questions[i]))];
        if (asked.Request.Estimator is not Estimator.Adjoint || sums.Length == 0) return estimated;
        var largest = sums.MaxBy(effect => Math.Abs(effect.Estimate))!;
        var exact = StageAttribution.Attribute(asked with
        {
            Request = asked.Request with { Estimator = Estimator.Exact, Only = [largest.Stage] },
        });
        var settled = exact.Effects[0];
        var error = ErrorOf(largest, settled);
        return (
            [.. estimated.Effects.Select(effect =>
                effect == largest ? settled with { Estimator = Estimator.Exact, Screened = largest.Estimate }
                : sums.Contains(effect) ? NoBetterThan(effect, largest.Stage, error)
                : effect)],
            estimated.GradientEquivalents + exact.GradientEquivalents);
    }

    private static bool IsOfWholeStages(Inquiry asked, Counterfactual question) => question.Skipped.All(stage =>
        stage.Value is null || stage.Value.Count == asked.Run.Programs[stage.Key].Steps.Count);

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
