using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Attribution.Tests.Replay;

/// <summary>How far each gradient source is from retraining: nothing where theory says so, else in the order theory gives.</summary>
public sealed class GradientSourceTests
{
    [Theory]
    [InlineData("linear", 0, false)]
    [InlineData("linear", 1, false)]
    [InlineData("linear", 0, true)]
    [InlineData("midpoint", 0, false)]
    [InlineData("midpoint", 0, true)]
    public void Curvature_sources_are_exact_on_a_quadratic(string source, int stage, bool clipped)
    {
        using var trajectory = SmallRun.Train(SmallRun.Sgd with { ClipNorm = clipped ? 1.5 : null }, cubic: 0);
        var truth = trajectory.RetrainWithout(stage);
        Assert.True(SmallRun.Error(trajectory, SmallRun.ReplayWithout(trajectory, source, stage), truth) < 1e-10);
        Assert.True(SmallRun.Error(trajectory, SmallRun.ReplayWithout(trajectory, "recorded", stage), truth) > 0.01);
        var steps = Counterfactual.WithoutSteps("steps", stage, [2, 3]);
        truth = trajectory.Retrain((index, step) => index == stage && (step.StageStep is 2 or 3));
        Assert.True(SmallRun.Error(trajectory, SmallRun.Replay(trajectory, source, steps), truth) < 1e-10);
    }

    [Fact]
    public void Curvature_sources_are_exact_on_a_quadratic_with_AdamW_too()
    {
        using var trajectory = SmallRun.Train(SmallRun.AdamW, cubic: 0);
        var truth = trajectory.RetrainWithout(0);
        Assert.True(SmallRun.Error(trajectory, SmallRun.ReplayWithout(trajectory, "linear", 0), truth) < 1e-8);
        Assert.True(SmallRun.Error(trajectory, SmallRun.ReplayWithout(trajectory, "midpoint", 0), truth) < 1e-8);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void With_a_cubic_term_midpoint_beats_linear_beats_recorded(int stage)
    {
        using var trajectory = SmallRun.Train(SmallRun.Sgd, cubic: 0.3);
        var truth = trajectory.RetrainWithout(stage);
        double Error(string source) => SmallRun.Error(trajectory, SmallRun.ReplayWithout(trajectory, source, stage), truth);
        // The gradient of a cubic is quadratic, and on those the midpoint rule is exact.
        Assert.InRange(Error("midpoint"), 0, 1e-10);
        Assert.InRange(Error("linear"), 1e-3, 0.5 * Error("recorded"));
    }

    [Fact]
    public void The_error_of_linear_falls_as_the_square_of_the_change()
    {
        // The change is what the first stage does: half its learning rate, half the change, a quarter of the error.
        double Error(double learningRate)
        {
            using var trajectory = SmallRun.Train(
                SmallRun.Sgd with { Momentum = 0.5 }, cubic: 0.3, (stage, section) =>
                    stage == 0 ? section with { Optimizer = section.Optimizer with { LearningRate = learningRate } } : section);
            var (found, truth) = (SmallRun.ReplayWithout(trajectory, "linear", 0), trajectory.RetrainWithout(0));
            return Math.Sqrt(found.Zip(truth, (f, t) => (f - t) * (f - t)).Sum());
        }

        var errors = new[] { 4e-3, 2e-3, 1e-3, 5e-4 }.Select(Error).ToArray();
        Assert.All(errors.Zip(errors.Skip(1), (larger, smaller) => larger / smaller), ratio => Assert.InRange(ratio, 3.3, 4.7));
    }

    [Theory]
    [InlineData("recorded", false)]
    [InlineData("linear", false)]
    [InlineData("midpoint", true)]
    [InlineData("sampled", true)]
    [InlineData("exact", true)]
    public void A_stage_with_learning_rate_0_has_no_effect_at_all(string source, bool adamW)
    {
        using var trajectory = SmallRun.Train(
            adamW ? SmallRun.AdamW : SmallRun.Sgd, cubic: 0.3, (stage, section) =>
                stage == 1 ? section with { Optimizer = section.Optimizer with { LearningRate = 0 } } : section);
        Assert.Equal(trajectory.Final(), SmallRun.ReplayWithout(trajectory, source, 1));
        Assert.NotEqual(trajectory.Final(), SmallRun.ReplayWithout(trajectory, source, 0));
    }

    [Fact]
    public void Recorded_replays_the_logged_gradients_from_the_other_state()
    {
        // SGD without weight decay: the updates do not depend on the state, so the counterfactual lacks just what the stage did.
        using var scope = NewDisposeScope();
        using var trajectory = SmallRun.Train(SmallRun.Sgd with { WeightDecay = 0 }, cubic: 0.3);
        var did = trajectory.StateBefore(1).ToArray<double>().Zip(trajectory.StateBefore(0).ToArray<double>(), (end, start) => end - start);
        var expected = trajectory.Final().Zip(did, (final, change) => final - change).ToArray();
        Vectors.Close(expected, SmallRun.ReplayWithout(trajectory, "recorded", 0), 1e-13);
    }

    [Fact]
    public void Samples_miss_by_chance_only()
    {
        // One step after the stage left out: its sampled gradient is right on average, whatever the share.
        using var trajectory = SmallRun.Train(
            SmallRun.Sgd,
            cubic: 0,
            (stage, section) => stage == 2 ? section with { Epochs = 1, BatchSize = 9, Schedule = new() } : section);
        Assert.Single(trajectory.Programs[2].Steps);
        var without = Counterfactual.WithoutStage("second", 1);
        var truth = SmallRun.Replay(trajectory, "exact", without);
        var draws = Enumerable.Range(0, 400).Select(seed => SmallRun.Replay(trajectory, "sampled", without, rho: 0.3, seed)).ToArray();
        double Miss(double[] state) => Math.Sqrt(state.Zip(truth, (s, t) => (s - t) * (s - t)).Sum());
        var typical = Math.Sqrt(draws.Average(draw => Miss(draw) * Miss(draw)));
        Assert.True(typical > 0);
        // The mean of 400 draws misses by about a twentieth of that.
        Assert.InRange(Miss([.. Enumerable.Range(0, truth.Length).Select(i => draws.Average(draw => draw[i]))]), 0, 0.12 * typical);
        Assert.Equal(draws[3], SmallRun.Replay(trajectory, "sampled", without, rho: 0.3, seed: 3));
        Assert.NotEqual(draws[3], draws[4]);
    }

    [Fact]
    public void A_larger_share_comes_closer()
    {
        using var trajectory = SmallRun.Train(SmallRun.Sgd, cubic: 0.3);
        var without = Counterfactual.WithoutStage("first", 0);
        var truth = trajectory.RetrainWithout(0);
        double Error(double rho) =>
            Enumerable.Range(0, 30).Average(
                seed => SmallRun.Error(trajectory, SmallRun.Replay(trajectory, "sampled", without, rho, seed), truth));
        Assert.True(Error(0.75) < 0.8 * Error(0.25));
    }

    [Fact]
    public void Costs_are_counted_in_gradients_of_a_batch()
    {
        using var scope = NewDisposeScope();
        using var trajectory = SmallRun.Train(SmallRun.Sgd, cubic: 0.3);
        double Cost(string source, double rho = 1, params Counterfactual[] counterfactuals)
        {
            var gradients = SmallRun.Gradients(source, rho);
            new CounterfactualReplay(trajectory, gradients).Run(counterfactuals, null, default);
            return gradients.GradientEquivalents;
        }

        // Without the first stage 4 + 6 steps are left to replay, without the second 6.
        var (first, second) = (Counterfactual.WithoutStage("first", 0), Counterfactual.WithoutStage("second", 1));
        Assert.Equal(0, Cost("recorded", 1, first));
        Assert.Equal(10, Cost("exact", 1, first));
        Assert.Equal(16, Cost("exact", 1, first, second));
        Assert.Equal(25, Cost("linear", 1, first));
        Assert.Equal(40, Cost("midpoint", 1, first, second));
        // Half of a batch at the counterfactual and at the observed state; batches of 1 are taken whole, without the second.
        Assert.Equal((8 * 0.5 * 2) + 2, Cost("sampled", 0.5, first), 12);
        // The observed half is shared by both counterfactuals in the third stage.
        Assert.Equal((8 * 0.5 * 2) + 2 + (4 * 0.5) + 2, Cost("sampled", 0.5, first, second), 12);
    }

    [Fact]
    public void Sources_that_do_not_exist_are_refused()
    {
        Assert.All(GradientSource.Names, name => Assert.Equal(name, CounterfactualGradients.From(GradientSource.Of(name), 1).Name));
        foreach (var rho in new[] { 0, -0.1, 1.1, double.NaN })
        {
            var error = Assert.Throws<ConfigurationException>(() => GradientSource.Of("sampled", rho));
            Assert.StartsWith("the share of each batch: ", error.Message, StringComparison.Ordinal);
            Assert.Equal(ErrorKind.Request, error.Kind);
        }

        Assert.Contains(
            "recorded, linear, midpoint, sampled, exact",
            Assert.Throws<ConfigurationException>(() => GradientSource.Of("hessian")).Message,
            StringComparison.Ordinal);
    }
}
