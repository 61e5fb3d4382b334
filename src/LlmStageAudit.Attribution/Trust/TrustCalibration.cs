using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// The one rule that makes a grade of what checks foretell:
/// <code>grade = what is promised up to   margin * predicted error</code>
/// A few checks stand for many steps, so what they foretell may be too little. The margins are such that the runs on which
/// `scripts/bench.sh trust` calibrates keep half of what is allowed (2% of high off by more than 5%, 5% of medium by more than 25%), and
/// somewhat wider for the small number of runs. The least margins that do, and how the grades then hold on other runs, are filed in
/// tests/benchmarks/results/trust.md.
/// </summary>
internal static class TrustCalibration
{
    /// <summary>What the error of a sweep's checked scores is multiplied with for that of all of them.</summary>
    public const double SweepMargin = 5;

    /// <summary>What the error foretold of an effect is multiplied with.</summary>
    public static double Margin(Estimator estimator) => estimator switch
    {
        Estimator.Replay { Source: GradientSource.Sampled } => 3,
        _ => 2,
    };

    /// <summary>The grade of an effect by the relative error that checks foretell of it.</summary>
    public static TrustGrade Of(Estimator estimator, double predictedError) => TrustPromise.Of(Margin(estimator) * predictedError);

    /// <summary>The grade of all of a sweep's scores: medium at most, for two checked steps do not bear more.</summary>
    /// <param name="checkedError">The relative error of the scores that were checked.</param>
    public static TrustGrade OfSweep(double checkedError) => TrustPromise.Of(SweepMargin * checkedError) switch
    {
        TrustGrade.High => TrustGrade.Medium,
        var grade => grade,
    };
}
