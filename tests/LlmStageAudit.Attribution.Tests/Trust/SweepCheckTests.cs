using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Attribution.Tests.Trust;

public sealed class SweepCheckTests
{
    private static readonly double[] s_probe = Vectors.Normal(SmallRun.Parameters, 300);

    [Fact]
    public void On_a_quadratic_a_sweep_is_exact()
    {
        using var run = SmallRun.Train(SmallRun.Sgd, cubic: 0);
        var (error, worst, gap, checks) = Check(run);
        Assert.InRange(error, 0, 1e-9);
        Assert.InRange(worst, 0, 1e-9);
        Assert.InRange(gap, 0, 1e-9);
        Assert.Equal(2, checks);
    }

    /// <summary>Against training again without each of the sixteen steps.</summary>
    [Theory]
    [InlineData(1e-3)]
    [InlineData(4e-3)]
    [InlineData(1.6e-2)]
    public void What_it_finds_is_of_the_order_of_the_error_of_all_scores(double rate)
    {
        using var run = SmallRun.Train(SmallRun.Sgd with { LearningRate = rate }, cubic: 0.5);
        var scores = Scores(run);
        double[] truth =
        [
            .. scores.Select(score => Gamma(run.Final())
                - Gamma(run.Retrain((stage, step) => stage == score.StageIndex && step.StageStep == score.StageStep))),
        ];
        var error = Vectors.RelativeDistance(truth, [.. scores.Select(score => score.Effect)]);
        // Late steps are less off than all of them: what the assessment's margin is for.
        Assert.InRange(Check(run).Error / error, 1 / 10.0, 1);
        Assert.True(Check(run).Worst >= Check(run).Error);
    }

    [Fact]
    public void A_share_of_the_batch_is_noticed()
    {
        using var run = SmallRun.Train(SmallRun.Sgd, cubic: 0);
        Assert.True(Check(run, rho: 0.25).Error > 0.01);
    }

    [Fact]
    public void A_score_of_nothing_right_is_noticed()
    {
        using var run = SmallRun.Train(SmallRun.Sgd, cubic: 0);
        using var scope = NewDisposeScope();
        var scores = Scores(run).Select(score => score with { Effect = -score.Effect }).ToArray();
        Assert.Equal(2, new SweepCheck(run).Run(scores, theta => Gamma(theta.ToArray<double>()), TensorMemory.Of(s_probe), default).Error, 1e-9);
    }

    [Fact]
    public void Skips_are_paid_for()
    {
        // Of 13 steps that move parameters the ninth and the twelfth are skipped: the twelfth and the fifteenth, which leave 4 and 1.
        using var run = SmallRun.Train(SmallRun.Sgd, cubic: 0);
        using var scope = NewDisposeScope();
        var scores = Scores(run).ToArray();
        var check = new SweepCheck(run);
        Assert.Equal(2, check.Run(scores, _ => 0, TensorMemory.Of(s_probe), default).Checks);
        Assert.Equal(4 + 1, check.GradientEquivalents);
    }

    /// <summary>Moments are fresh at the start of each job: no two late steps speak for the first.</summary>
    [Fact]
    public void Under_AdamW_nothing_is_claimed_and_nothing_spent()
    {
        using var run = SmallRun.Train(SmallRun.AdamW, cubic: 0.3);
        using var scope = NewDisposeScope();
        var check = new SweepCheck(run);
        var (grade, evidence) = check.Assess(
            new Estimator.Adjoint(new Curvature.Full()), Scores(run), theta => Gamma(theta.ToArray<double>()), TensorMemory.Of(s_probe),
            default);
        Assert.Equal(TrustGrade.Unknown, grade);
        Assert.Contains("fresh", evidence.Reason, StringComparison.Ordinal);
        Assert.Equal(0, check.GradientEquivalents);
    }

    [Fact]
    public void Live_tensors_return()
    {
        using var run = SmallRun.Train(SmallRun.AdamW, cubic: 0.3);
        LiveTensors.ReturnToTheirCount(() => Check(run));
    }

    private static double Gamma(double[] theta) => s_probe.Zip(theta, (weight, value) => weight * value).Sum();

    private static IReadOnlyList<StepScore> Scores(RetrainableTrajectory run, double rho = 1)
    {
        using var scope = NewDisposeScope();
        return new AdjointSweep(run, new Estimator.Adjoint(new Curvature.Full(rho)), seed: 0)
            .Run([TensorMemory.Of(s_probe)], ofExamples: false, ofBlocks: false, null, default)[0].Steps;
    }

    private static SweepCheckFinding Check(RetrainableTrajectory run, double rho = 1)
    {
        using var scope = NewDisposeScope();
        return new SweepCheck(run).Run(
            Scores(run, rho), theta => Gamma(theta.ToArray<double>()), TensorMemory.Of(s_probe), default);
    }
}
