using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Attribution.Tests.Adjoint;

/// <summary>The quadratic readout against the change of the parameters carried forward, step by step, in float64.</summary>
public sealed class SweepReadoutTests
{
    private static readonly Estimator.Adjoint s_adjoint = new(new Curvature.Full());

    public static TheoryData<string, OptimizerSection> Optimizers => new()
    {
        { "sgd", SmallRun.Sgd },
        { "adamw", SmallRun.AdamW },
    };

    /// <summary>One example's loss has a Hessian of rank one, which the readout then has as a whole.</summary>
    [Theory]
    [MemberData(nameof(Optimizers))]
    public void A_probe_of_rank_one_is_read_off_exactly(string name, OptimizerSection optimizer)
    {
        Assert.NotEmpty(name);
        using var run = SmallRun.Train(optimizer, cubic: 0.3);
        using var scope = NewDisposeScope();
        var probe = PolynomialObjective.Random(examples: 1, SmallRun.Parameters, seed: 77);
        var final = run.StateBefore(run.Programs.Count);
        var (scores, changes) = (Scores(run, probe), Changes(run));
        var observed = Gamma(probe, final);
        Assert.Contains(scores.Zip(Linear(run, probe)), pair => Math.Abs(pair.First - pair.Second) > 1e-3 * Math.Abs(pair.Second));
        for (var i = 0; i < scores.Length; i++)
        {
            var effect = observed - Gamma(probe, final - changes[i]);
            Assert.Equal(effect, scores[i], 1e-11 * Math.Max(1, Math.Abs(effect)));
        }
    }

    /// <summary>g.d - (p.d)^2 / (2 u.p), written out with the Hessian sum_i a_i a_i' / n of a quadratic probe.</summary>
    [Fact]
    public void Any_probe_is_read_off_by_the_bend_along_the_run()
    {
        using var run = SmallRun.Train(SmallRun.Sgd, cubic: 0.3);
        using var scope = NewDisposeScope();
        double[][] directions = [.. Enumerable.Range(0, 5).Select(i => Vectors.Normal(SmallRun.Parameters, 500 + i))];
        double[] targets = Vectors.Normal(5, 510);
        var probe = new PolynomialObjective(directions, targets);
        var final = run.Final();
        double[] moved = [.. final.Zip(run.StateBefore(0).ToArray<double>().ToArray(), (after, before) => after - before)];
        double[] bent = Hessian(moved);
        var along = Dot(moved, bent);
        double[] gradient = new double[final.Length];
        foreach (var (a, b) in directions.Zip(targets))
        {
            for (var i = 0; i < gradient.Length; i++) gradient[i] -= (Dot(a, final) - b) * a[i] / directions.Length;
        }

        var (scores, changes) = (Scores(run, probe), Changes(run));
        for (var i = 0; i < scores.Length; i++)
        {
            var d = changes[i].ToArray<double>().ToArray();
            var expected = Dot(gradient, d) - (Math.Pow(Dot(bent, d), 2) / (2 * along));
            Assert.Equal(expected, scores[i], 1e-11 * Math.Max(1, Math.Abs(expected)));
        }

        double[] Hessian(double[] vector)
        {
            var product = new double[vector.Length];
            foreach (var a in directions)
            {
                for (var i = 0; i < product.Length; i++) product[i] -= Dot(a, vector) * a[i] / directions.Length;
            }

            return product;
        }
    }

    [Fact]
    public void A_probe_flat_along_the_run_is_read_off_as_linear()
    {
        using var scope = NewDisposeScope();
        var (gradient, moved) = (TensorMemory.Of([1.0, 2.0, 3.0]), TensorMemory.Of([1.0, 0.0, 0.0]));
        Assert.Single(SweepReadout.Quadratic(gradient, moved, _ => TensorMemory.Of([0.0, 1.0, 0.0])).Vectors);
        Assert.Single(SweepReadout.Quadratic(gradient, moved, _ => TensorMemory.Of([0.0, 0.0, 0.0])).Vectors);
        Assert.Equal(2, SweepReadout.Quadratic(gradient, moved, _ => TensorMemory.Of([-1.0, 1.0, 0.0])).Vectors.Count);
    }

    private static double[] Scores(RetrainableTrajectory run, PolynomialObjective probe)
    {
        var (final, examples) = (run.StateBefore(run.Programs.Count), Enumerable.Range(0, probe.ExampleCount).ToArray());
        var readout = SweepReadout.Quadratic(
            -probe.LossAndGradient(final, examples).Gradient,
            final - run.StateBefore(0),
            vector => -probe.HessianVectorProduct(final, examples, vector));
        var swept = new AdjointSweep(run, s_adjoint, seed: 0).Run(readout.Vectors, ofExamples: false, ofBlocks: false, null, default);
        return [.. readout.Read([.. swept.Select(one => one.Steps)]).Select(score => score.Effect)];
    }

    private static double[] Linear(RetrainableTrajectory run, PolynomialObjective probe)
    {
        var (final, examples) = (run.StateBefore(run.Programs.Count), Enumerable.Range(0, probe.ExampleCount).ToArray());
        var gradient = -probe.LossAndGradient(final, examples).Gradient;
        return
        [
            .. new AdjointSweep(run, s_adjoint, seed: 0)
                .Run([gradient], false, false, null, default)[0].Steps.Select(score => score.Effect),
        ];
    }

    private static Tensor[] Changes(RetrainableTrajectory run)
    {
        var questions = run.Programs.SelectMany((program, stage) =>
            program.Steps.Select(step => Counterfactual.WithoutSteps("one", stage, [step.StageStep])));
        return new ForwardPropagation(run, CurvatureProduct.Full(), epsilonFloor: 0).Run([.. questions], eachAlone: false, null, default);
    }

    private static double Gamma(PolynomialObjective probe, Tensor theta) =>
        -probe.Loss(theta, [.. Enumerable.Range(0, probe.ExampleCount)]);

    private static double Dot(double[] one, double[] other) => one.Zip(other, (a, b) => a * b).Sum();
}
