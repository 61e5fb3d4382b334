using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Tests;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Comparison;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Comparisons;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Auditing.Tests.Comparison;

/// <summary>Estimators held against runs really trained again, on a small run in float64 that knows no transformer.</summary>
public sealed class EstimatorComparisonTests : IDisposable
{
    private const int Steps = 16;
    private readonly RetrainableTrajectory _run = SmallRun.Train(SmallRun.Sgd, cubic: 0.4);

    [Fact]
    public void The_reference_is_retraining_without_each_stage()
    {
        var effects = Effects();
        var reference = OfStages(effects).Reference;
        Assert.Equal(Estimator.Exact, reference.Estimator);
        Assert.Equal(["first", "second", "third"], reference.Effects.Select(effect => effect.Stage));
        for (var stage = 0; stage < 3; stage++)
            Assert.Equal(effects.Effects(_run.RetrainWithout(stage)).Average(), reference.Effects[stage].Measured, 1e-12);
        Assert.All(reference.Effects, effect => Assert.Equal((0, effect.Measured), (effect.RelativeError!.Value, effect.Predicted)));
        Assert.Equal(1, reference.Pearson, 1e-12);
        Assert.Equal(1, reference.Spearman, 1e-12);
        // Without the first stage the 4 + 6 steps after it run again; without the second, 6; after the third there are none.
        Assert.Equal(16.0 / Steps, reference.Trainings);
    }

    [Fact]
    public void Figures_per_stage_are_those_of_the_effects_per_example()
    {
        var effects = Effects();
        var compared = Compare(OfStages(effects), "recorded");
        for (var stage = 0; stage < 2; stage++)
        {
            var predicted = effects.Effects(SmallRun.ReplayWithout(_run, "recorded", stage));
            var measured = effects.Effects(_run.RetrainWithout(stage));
            var effect = compared.Effects[stage];
            Assert.Equal(predicted.Average(), effect.Predicted, 1e-12);
            Assert.Equal(Pearson(predicted, measured), effect.Pearson!.Value, 1e-9);
            Assert.Equal(Pearson(RanksOf(predicted), RanksOf(measured)), effect.Spearman!.Value, 1e-9);
            Assert.Equal(Vectors.RelativeDistance(measured, predicted), effect.RelativeError!.Value, 1e-9);
            Assert.InRange(effect.RelativeError.Value, 0.001, 100);
        }

        // Nothing has to be estimated where nothing comes after.
        Assert.Equal(0, compared.Effects[2].RelativeError);
        Assert.Equal(compared.Effects.Average(effect => effect.RelativeError!.Value), compared.RelativeError, 1e-12);
        Assert.Equal(compared.Effects.Average(effect => effect.Pearson!.Value), compared.Pearson, 1e-12);
        Assert.Equal(0, compared.Trainings);
    }

    [Fact]
    public void Where_losses_are_quadratic_the_linear_source_is_retraining_and_costs_what_it_says()
    {
        using var quadratic = SmallRun.Train(SmallRun.Sgd, cubic: 0);
        var effects = new PolynomialEffects(quadratic, Probe());
        var compared = Compare(EstimatorComparison.OfStages(quadratic, effects, 1, null, default), "linear");
        Assert.Equal(1, compared.Pearson, 1e-9);
        Assert.InRange(compared.RelativeError, 0, 1e-9);
        Assert.Equal(2.5 * 16 / Steps, compared.Trainings, 1e-12);
    }

    [Theory]
    [InlineData("adjoint")]
    [InlineData("aa-score")]
    [InlineData("dvemb")]
    [InlineData("tracin")]
    public void Linear_estimators_are_read_to_first_order(string name)
    {
        var compared = Compare(OfStages(Effects()), name);
        var finite = Compare(OfStages(Effects(isDifferentiable: false)), name);
        Assert.Null(compared.Failure);
        Assert.InRange(compared.Pearson, 0.2, 1);
        // Not the change of the performance function between two states, which is what remains where it has no derivative.
        Assert.NotEqual(finite.Effects[0].Predicted, compared.Effects[0].Predicted);
    }

    [Fact]
    public void The_estimators_keep_their_order_of_quality()
    {
        var comparison = OfStages(Effects());
        var errors = new[] { "midpoint", "linear", "recorded" }.Select(name => Compare(comparison, name).RelativeError).ToArray();
        Assert.True(errors[0] < errors[1] && errors[1] < errors[2], string.Join(", ", errors));
    }

    [Fact]
    public void Sampled_steps_are_skipped_by_themselves_and_swept_all_at_once()
    {
        var effects = Effects();
        var comparison = EstimatorComparison.OfSteps(_run, effects, 5, seed: 3, null, default);
        var measured = comparison.Reference.Effects;
        Assert.Equal(5, measured.Select(effect => effect.Stage).Distinct().Count());
        foreach (var effect in measured)
        {
            var (stage, step) = Place(effect);
            var truth = effects.Effects(_run.Retrain((at, one) => at == stage && one.StageStep == step)).Average();
            Assert.Equal(truth, effect.Measured, 1e-12);
            Assert.Null(effect.Pearson);
        }

        var swept = Compare(comparison, "adjoint");
        Assert.Equal(measured.Select(effect => effect.Stage), swept.Effects.Select(effect => effect.Stage));
        double[] scores = [.. swept.Effects.Select(effect => effect.Predicted)];
        Assert.Equal(Pearson(scores, [.. measured.Select(effect => effect.Measured)]), swept.Pearson, 1e-9);
        Assert.InRange(swept.Pearson, 0.8, 1);
        Assert.InRange(swept.RelativeError, 1e-6, 0.8);
        Assert.Equal(2.5, swept.Trainings, 1e-12);
        // The same question put forwards, step by step.
        var forwards = comparison.Compare(Estimator.Parse("aa-score"), null, default);
        foreach (var (one, other) in swept.Effects.Zip(forwards.Effects)) Assert.Equal(one.Predicted, other.Predicted, 1e-10);
    }

    [Fact]
    public void The_sample_of_steps_follows_from_the_seed_and_never_exceeds_the_run()
    {
        string[] Sample(int size, long seed) =>
            [.. EstimatorComparison.OfSteps(_run, Effects(), size, seed, null, default).Reference.Effects.Select(effect => effect.Stage)];
        Assert.Equal(Sample(4, 3), Sample(4, 3));
        Assert.NotEqual(Sample(4, 3), Sample(4, 4));
        Assert.Equal(Enumerable.Range(1, Steps).Select(step => $"step {step}"), Sample(99, 3));
    }

    [Fact]
    public void A_correlation_that_is_undefined_is_left_out_of_the_mean()
    {
        var compared = Compare(OfStages(new PolynomialEffects(_run, Probe()) { ConstantAt = 1 }), "recorded");
        Assert.Equal(double.NaN, compared.Effects[1].Pearson);
        Assert.Equal((compared.Effects[0].Pearson!.Value + compared.Effects[2].Pearson!.Value) / 2, compared.Pearson, 1e-12);
    }

    [Fact]
    public void An_estimator_whose_arithmetic_fails_says_so_and_the_others_go_on()
    {
        var comparison = OfStages(Effects());
        _run.Tamper(1, 2, double.PositiveInfinity);
        var failed = Compare(comparison, "recorded");
        Assert.Contains("second", failed.Failure);
        Assert.Empty(failed.Effects);
        Assert.Equal(double.NaN, failed.Pearson);
        Assert.Null(Compare(comparison, "exact").Failure);
    }

    [Fact]
    public void Without_logged_gradients_an_estimator_is_refused()
    {
        using var bare = SmallRun.Train(SmallRun.Sgd, cubic: 0.4, logsGradients: false);
        var comparison = EstimatorComparison.OfStages(bare, new PolynomialEffects(bare, Probe()), 1, null, default);
        Assert.Throws<AttributionException>(() => Compare(comparison, "midpoint"));
    }

    [Fact]
    public void No_native_tensor_is_left_behind() => LiveTensors.ReturnToTheirCount(() =>
    {
        var stages = OfStages(Effects());
        foreach (var name in EstimatorList.OfStages) Compare(stages, name);
        Compare(EstimatorComparison.OfSteps(_run, Effects(), 3, seed: 3, null, default), "adjoint");
    });

    [Fact]
    public void Names_are_read_once_each_and_wrong_ones_come_with_a_suggestion()
    {
        var read = EstimatorList.Parse("midpoint, sampled-0.1,adjoint,midpoint,replay-midpoint,aa-score-layer-wise");
        Assert.Equal(["replay-midpoint", "replay-sampled-0.1", "adjoint", "aa-score-layer-wise"], read.Select(estimator => $"{estimator}"));
        Assert.All(EstimatorList.OfStages.Concat(EstimatorList.OfSteps), name => Assert.Single(EstimatorList.Parse(name)));
        Assert.Contains(
            "; did you mean 'midpoint'?",
            Assert.Throws<ConfigurationException>(() => EstimatorList.Parse("linear,midpont")).Message);
        Assert.Contains("expected recorded, linear", Assert.Throws<ConfigurationException>(() => EstimatorList.Parse("oracle")).Message);
        Assert.Throws<ConfigurationException>(() => EstimatorList.Parse("sampled-2"));
    }

    public void Dispose() => _run.Dispose();

    private static PolynomialObjective Probe() => PolynomialObjective.Random(9, SmallRun.Parameters, 77, 0.3);

    private static ComparedEstimator Compare(EstimatorComparison comparison, string name) =>
        comparison.Compare(Estimator.Parse(name), null, default);

    private PolynomialEffects Effects(bool isDifferentiable = true) => new(_run, Probe()) { IsDifferentiable = isDifferentiable };

    private EstimatorComparison OfStages(PolynomialEffects effects) => EstimatorComparison.OfStages(_run, effects, 1, null, default);

    private (int Stage, int StageStep) Place(ComparedEffect effect)
    {
        var step = int.Parse(effect.Stage["step ".Length..], System.Globalization.CultureInfo.InvariantCulture);
        var stage = 0;
        while (step > _run.Programs[stage].Steps.Count) step -= _run.Programs[stage++].Steps.Count;
        return (stage, step);
    }

    private static double Pearson(double[] x, double[] y)
    {
        double[] Centred(double[] values) => [.. values.Select(value => value - values.Average())];
        double Dot(double[] a, double[] b) => a.Zip(b, (left, right) => left * right).Sum();
        var (u, v) = (Centred(x), Centred(y));
        return Dot(u, v) / Math.Sqrt(Dot(u, u) * Dot(v, v));
    }

    private static double[] RanksOf(double[] values) => [.. values.Select(value => (double)values.Count(other => other < value))];
}
