using System.Globalization;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Attribution.Estimators;

/// <summary>Grades an effect by what spot checks and the linearity gap say of its error.</summary>
internal static class TrustAssessment
{
    /// <summary>The grade and the evidence of one effect; null what was not checked.</summary>
    public static (TrustGrade Grade, TrustEvidence Evidence) Of(
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
        if (estimator.IsExact) return Graded(TrustGrade.Exact, "exact replay is retraining");
        if (estimator.IsBaseline)
            return Graded(TrustGrade.Unknown, $"{estimator.Method} is here for comparison; its error is not bounded by any check");
        if (checks is null) return Graded(TrustGrade.Unknown, "nothing checked it");
        if (checks.MovingSteps == 0)
        {
            return estimator.IsLinear
                ? Graded(TrustPromise.Of(linearityGap ?? double.NaN), $"no step that moves parameters comes after it; {Bend(linearityGap)}")
                : Graded(TrustGrade.Exact, "no step that moves parameters comes after it, so that nothing was estimated");
        }

        if (checks.Checks == 0 || predicted is null)
        {
            return Graded(
                TrustGrade.Unknown,
                $"{checks.MovingSteps} steps that move parameters come after it, too few for a few of them to say what the others do");
        }

        var error = predicted.Value + (estimator.IsLinear ? linearityGap ?? 0 : 0);
        var (grade, margin) = (TrustCalibration.Of(estimator, error), TrustCalibration.Margin(estimator));
        var reason = string.Create(
            CultureInfo.InvariantCulture,
            $"{checks.Checks} spot-checked steps foretell an error of {error:P0} of the effect, up to {margin * error:P0} by calibration");
        if (estimator.IsLinear) reason += $"; {Bend(linearityGap)}";
        evidence = evidence with { PredictedError = predicted };
        return Graded(grade, reason);

        (TrustGrade, TrustEvidence) Graded(TrustGrade grade, string reason) => (grade, evidence with { Reason = reason });
    }

    /// <summary>The grade of all step scores of a sweep: it is the propagator that was checked, on a few steps really skipped.</summary>
    public static (TrustGrade Grade, TrustEvidence Evidence) OfSweep(SweepCheckFinding found, Estimator.Adjoint estimator)
    {
        var reason = string.Create(
            CultureInfo.InvariantCulture,
            $"{found.Checks} steps were really skipped: their scores are {found.Error:P0} off together, {found.Worst:P0} at worst; "
            + $"all are taken to be up to {TrustCalibration.SweepMargin:0.#} times that");
        if (estimator.Readout == Readout.Linear && found.LinearityGap > found.Error / 2)
            reason += $"; {Bend(found.LinearityGap)}, which {Setting.Readout} quadratic mends";
        return (TrustCalibration.OfSweep(found.Error), new TrustEvidence
        {
            Reason = reason,
            PredictedError = found.Error,
            LinearityGap = found.LinearityGap,
            Checks = found.Checks
        });
    }

    /// <summary>Of scores that no cheap check holds of.</summary>
    public static (TrustGrade Grade, TrustEvidence Evidence) Unchecked(string why) =>
        (TrustGrade.Unknown, new TrustEvidence { Reason = why });

    private static string Bend(double? linearityGap) =>
        string.Create(CultureInfo.InvariantCulture, $"taking the probe as linear is {linearityGap:P0} off by itself");
}
