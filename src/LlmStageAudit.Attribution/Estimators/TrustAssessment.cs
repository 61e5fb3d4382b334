using System.Globalization;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Attribution.Estimators;

/// <summary>Grades an effect by what spot checks and the linearity gap say of its error.</summary>
internal static class TrustAssessment
{
    /// <summary>
    /// The scores of two late steps say what those of all are off: more by as much as there are more steps for an error to build up in,
    /// and by what single steps differ, under AdamW most.
    /// </summary>
    private const double SweepMargin = 5;

    /// <summary>The grade and the evidence of one effect; null what was not checked.</summary>
    public static (string Grade, TrustEvidence Evidence) Of(
        Estimator estimator, DriftTally? checks, double? predicted, double? linearityGap)
    {
        var evidence = new TrustEvidence
        {
            Reason = "",
            LinearityGap = linearityGap,
            Checks = checks?.Checks ?? 0,
            GradientMismatch = checks is { Checks: > 0 } ? checks.GradientMismatch : null,
            Growth = checks is { Checks: > 0 } ? checks.Growth : null,
        };
        if (estimator.IsExact) return (TrustGrade.Verified, evidence with { Reason = "exact replay is retraining" });
        if (estimator.IsBaseline)
            return (
                TrustGrade.Low,
                evidence with { Reason = $"{estimator.Method} is here for comparison; its error is not bounded by any check" });
        if (checks is null) return (TrustGrade.Low, evidence with { Reason = "nothing checked it" });

        // Nothing was left to estimate where no step comes after the last one left out.
        var error = (predicted ?? 0) + (estimator.IsLinear ? linearityGap ?? 0 : 0);
        var grade = double.IsFinite(error) ? TrustGrade.Of(error) : TrustGrade.Low;
        var reason = checks.Checks == 0
            ? "no step comes after it, so nothing was estimated but the probe's response"
            : string.Create(
                CultureInfo.InvariantCulture, $"{checks.Checks} spot-checked steps foretell an error of {error:P0} of the effect");
        if (estimator.IsLinear && linearityGap is { } gap)
            reason += string.Create(CultureInfo.InvariantCulture, $", {gap:P0} of it from taking the probe as linear");
        return (grade, evidence with { Reason = reason, PredictedError = predicted ?? 0 });
    }

    /// <summary>
    /// The grade of all scores of a sweep: it is the propagator that was checked, on a few steps really skipped. Medium at most: two
    /// steps do not bear more.
    /// </summary>
    public static (string Grade, TrustEvidence Evidence) OfSweep(SweepCheckFinding found, Estimator.Adjoint estimator)
    {
        var predicted = SweepMargin * found.Error;
        var grade = predicted <= TrustGrade.MediumUpTo ? TrustGrade.Medium : TrustGrade.Low;
        var reason = string.Create(
            CultureInfo.InvariantCulture,
            $"{found.Checks} steps were really skipped: their scores are {found.Error:P0} off together, {found.Worst:P0} at worst; "
            + $"all are taken to be up to {SweepMargin:0.0} times that");
        if (estimator.Readout == Readout.Linear && found.LinearityGap > found.Error / 2)
        {
            reason += string.Create(
                CultureInfo.InvariantCulture,
                $"; taking the probe as linear is {found.LinearityGap:P0} off by itself, which {Setting.Readout} quadratic mends");
        }

        return (grade, new TrustEvidence
        {
            Reason = reason,
            PredictedError = predicted,
            LinearityGap = found.LinearityGap,
            Checks = found.Checks
        });
    }
}
