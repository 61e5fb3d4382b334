using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Attribution.Tests.Trust;

public sealed class TrustAssessmentTests
{
    [Fact]
    public void Exact_replay_is_exact_and_not_called_verified()
    {
        var (grade, evidence) = TrustAssessment.Of(Estimator.Exact, null, null, linearityGap: 0.7);
        Assert.Equal(TrustGrade.Exact, grade);
        Assert.Equal("exact replay is retraining", evidence.Reason);
        Assert.Equal(0.7, evidence.LinearityGap);
        Assert.Null(evidence.PredictedError);
    }

    [Theory]
    [InlineData("aa-score")]
    [InlineData("dvemb")]
    [InlineData("tracin")]
    public void Of_baselines_nothing_is_known(string method)
    {
        var (grade, evidence) = TrustAssessment.Of(Estimator.Parse(method), null, null, 0.01);
        Assert.Equal(TrustGrade.Unknown, grade);
        Assert.StartsWith($"{method} is here for comparison", evidence.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_stage_leaves_replay_nothing_to_estimate()
    {
        var (grade, evidence) = TrustAssessment.Of(Recorded, new DriftTally(false, movingSteps: 0), null, linearityGap: 3);
        Assert.Equal(TrustGrade.Exact, grade);
        Assert.StartsWith("no step that moves parameters comes after it", evidence.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_stage_leaves_the_adjoint_the_probes_curvature()
    {
        var (adjoint, none) = (Estimator.Parse("adjoint"), new DriftTally(false, movingSteps: 0));
        Assert.Equal(TrustGrade.Low, TrustAssessment.Of(adjoint, none, null, linearityGap: 3).Grade);
        Assert.Equal(TrustGrade.High, TrustAssessment.Of(adjoint, none, null, linearityGap: 1e-4).Grade);
    }

    [Fact]
    public void What_nothing_checked_is_unknown()
    {
        Assert.Equal(TrustGrade.Unknown, TrustAssessment.Of(Recorded, null, null, 0).Grade);
        var (grade, evidence) = TrustAssessment.Of(Recorded, new DriftTally(false, movingSteps: 3), null, 0);
        Assert.Equal(TrustGrade.Unknown, grade);
        Assert.StartsWith("3 steps that move parameters come after it, too few", evidence.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, TrustGrade.High)]
    [InlineData(TrustPromise.HighUpTo, TrustGrade.High)]
    [InlineData(TrustPromise.HighUpTo * 1.01, TrustGrade.Medium)]
    [InlineData(TrustPromise.MediumUpTo, TrustGrade.Medium)]
    [InlineData(TrustPromise.MediumUpTo * 1.01, TrustGrade.Low)]
    [InlineData(double.PositiveInfinity, TrustGrade.Low)]
    [InlineData(double.NaN, TrustGrade.Low)]
    public void Grades_begin_where_they_say_with_the_margin_of_the_estimator(double foretold, TrustGrade expected)
    {
        using var tally = Tally();
        foreach (var estimator in new[] { Recorded, Estimator.Parse("sampled"), Estimator.Parse("adjoint") })
        {
            // A rounding inside: the margin divides and multiplies.
            var predicted = foretold / TrustCalibration.Margin(estimator) * (1 - 1e-12);
            var (grade, evidence) = TrustAssessment.Of(estimator, tally, predicted, linearityGap: estimator.IsLinear ? 0 : 0.9);
            Assert.Equal(expected, grade);
            Assert.Equal((1, predicted, 0.5), (evidence.Checks, evidence.PredictedError!.Value, evidence.GradientMismatch!.Value));
        }
    }

    /// <summary>A first-order effect is off by what its change is off, and by what the probe bends.</summary>
    [Fact]
    public void The_linearity_gap_counts_where_effects_are_linear()
    {
        using var tally = Tally();
        var adjoint = Estimator.Parse("adjoint");
        var part = 1 / TrustCalibration.Margin(adjoint);
        Assert.Equal(TrustGrade.High, TrustAssessment.Of(adjoint, tally, 0.03 * part, 0.01 * part).Grade);
        Assert.Equal(TrustGrade.Medium, TrustAssessment.Of(adjoint, tally, 0.03 * part, 0.03 * part).Grade);
        Assert.Equal(TrustGrade.Low, TrustAssessment.Of(adjoint, tally, 0.03 * part, 0.23 * part).Grade);
        Assert.Equal(TrustGrade.High, TrustAssessment.Of(Recorded, tally, 0.03 / TrustCalibration.Margin(Recorded), 0.23).Grade);
        Assert.Contains("23 %", TrustAssessment.Of(adjoint, tally, 0.03, 0.23).Evidence.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.001, TrustGrade.Medium)]
    [InlineData(0.98, TrustGrade.Medium)]
    [InlineData(1.02, TrustGrade.Low)]
    [InlineData(double.NaN, TrustGrade.Low)]
    public void A_sweep_is_graded_by_the_steps_really_skipped_and_medium_at_most(double ofMedium, TrustGrade expected)
    {
        var found = ofMedium * TrustPromise.MediumUpTo / TrustCalibration.SweepMargin;
        var (grade, evidence) = TrustAssessment.OfSweep(
            new SweepCheckFinding(found, 0.5, 0, 2), new Estimator.Adjoint(new Curvature.Full()));
        Assert.Equal(expected, grade);
        Assert.Equal(found, evidence.PredictedError!.Value, 1e-12);
        Assert.StartsWith("2 steps were really skipped", evidence.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("the readout", evidence.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sweep_whose_error_is_the_probe_s_bend_says_what_mends_it()
    {
        var (bent, straight) = (new SweepCheckFinding(0.1, 0.5, 0.09, 2), new SweepCheckFinding(0.1, 0.5, 0.01, 2));
        var linear = new Estimator.Adjoint(new Curvature.Full());
        Assert.Contains(
            "9 % off by itself, which the readout quadratic mends",
            TrustAssessment.OfSweep(bent, linear).Evidence.Reason,
            StringComparison.Ordinal);
        Assert.DoesNotContain("the readout", TrustAssessment.OfSweep(straight, linear).Evidence.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain(
            "the readout",
            TrustAssessment.OfSweep(bent, linear with { Readout = Readout.Quadratic }).Evidence.Reason,
            StringComparison.Ordinal);
    }

    private static DriftTally Tally()
    {
        using var scope = NewDisposeScope();
        var tally = new DriftTally(independent: false, movingSteps: 8);
        tally.Add(new CheckWeight(1, 1), TensorMemory.Of([1.0]), mismatch: 0.5, length: 1);
        return tally;
    }

    private static Estimator Recorded => Estimator.Parse("recorded");
}
