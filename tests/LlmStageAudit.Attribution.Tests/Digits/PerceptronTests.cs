using LlmStageAudit.Benchmarks.Digits;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Attribution.Tests.Digits;

/// <summary>The core on a model that is no transformer: a small version of the digits benchmark, on images made from a seed.</summary>
public sealed class PerceptronTests
{
    private const int BatchSize = 50;

    private const int Side = 8;

    [Fact]
    public void Losses_are_those_of_the_layers_written_out()
    {
        using var scope = NewDisposeScope();
        using var objective = Small(out var digits);
        var theta = objective.Start(seed: 3);
        var found = objective.Losses(objective.Layout.Split(theta), [4, 0, 4]).ToArray<double>();
        var parts = objective.Layout.Split(theta).Select(part => part.ToArray<double>()).ToArray();
        double Loss(int example)
        {
            double[] pixels = [.. digits.Images[example].Select(pixel => (double)pixel)];
            double[] hidden = [.. Affine(parts[0], parts[1], pixels).Select(h => Math.Max(0, h))];
            var logits = Affine(parts[2], parts[3], hidden);
            return Math.Log(logits.Sum(Math.Exp)) - logits[digits.Labels[example]];
        }

        Vectors.Close([Loss(4), Loss(0), Loss(4)], found, 1e-12);
        Vectors.Close([.. Enumerable.Range(0, digits.Count).Select(i => -Loss(i))], objective.LogLikelihoods(theta), 1e-12);

        static double[] Affine(double[] weight, double[] bias, double[] input) =>
            [.. bias.Select((b, row) => b + input.Select((x, column) => weight[(row * input.Length) + column] * x).Sum())];
    }

    [Fact]
    public void The_start_is_uniform_within_one_over_the_root_of_the_inputs()
    {
        using var scope = NewDisposeScope();
        using var objective = Small(out _);
        var parts = objective.Layout.Split(objective.Start(seed: 3)).Select(part => part.ToArray<double>()).ToArray();
        double[] bounds = [1.0 / Side, 1.0 / Side, Math.Sqrt(1 / 6.0), Math.Sqrt(1 / 6.0)];
        Assert.Equal([6 * Side * Side, 6, 60, 10], parts.Select(part => part.Length));
        for (var i = 0; i < parts.Length; i++) Assert.InRange(parts[i].Max(Math.Abs), 0.5 * bounds[i], bounds[i]);
        Assert.InRange(parts[0].Average(value => value * value), 0.85 * bounds[0] * bounds[0] / 3, 1.15 * bounds[0] * bounds[0] / 3);
        Vectors.SameBits(objective.Start(seed: 3), objective.Start(seed: 3));
        Assert.NotEqual(objective.Start(seed: 3).ToArray<double>(), objective.Start(seed: 4).ToArray<double>());
    }

    [Fact]
    public void Hessian_vector_products_are_central_differences_of_the_gradient()
    {
        using var scope = NewDisposeScope();
        using var objective = Small(out var digits);
        int[] batch = [.. Enumerable.Range(0, digits.Count)];
        var theta = objective.Start(seed: 3);
        var vector = TensorMemory.Of(Vectors.Normal(objective.Layout.Count, 5));
        // Short enough that no unit of these images crosses its kink.
        const double Step = 1e-6;
        var differences = (objective.LossAndGradient(theta.plus(vector, Step), batch).Gradient
            - objective.LossAndGradient(theta.plus(vector, -Step), batch).Gradient).over(2 * Step);
        Vectors.Close(differences.ToArray<double>(), objective.HessianVectorProduct(theta, batch, vector).ToArray<double>(), 1e-6);
    }

    [Fact]
    public void Replay_with_curvature_comes_closer_to_retraining_than_without()
    {
        using var scope = NewDisposeScope();
        using var run = DigitRun.Shift(Images(1200), seed: 1, BatchSize);
        using var probe = Probe();
        var measured = PlainRetraining.Train(run.Trajectory, run.Questions[0].Without);
        var effect = DigitEstimator.Effect(run, probe, measured);
        double Error(string estimator) =>
            Correlation.RelativeError(DigitEstimator.All.Single(other => other.Name == estimator).Estimate(run, probe)[0], effect);
        Assert.InRange(Error("replay exact"), 0, 1e-3);
        Assert.InRange(Error("replay midpoint"), 0, 0.5 * Error("replay recorded"));
    }

    [Fact]
    public void It_learns_to_read()
    {
        using var scope = NewDisposeScope();
        using var run = DigitRun.Mislabel(Images(6000), seed: 1, BatchSize);
        using var probe = Probe();
        double Accuracy(int stage) =>
            probe.Predictions(run.Trajectory.StateBefore(stage)).Where((predicted, i) => predicted == i % DigitSet.Classes).Count()
                / (double)probe.ExampleCount;
        Assert.InRange(Accuracy(0), 0, 0.3);
        Assert.InRange(Accuracy(1), 0.9, 1);
    }

    [Fact]
    public void Step_scores_single_out_wrong_labels_and_a_foreign_class()
    {
        var images = Images(1200);
        using var probe = Probe();
        int[] all = [.. Enumerable.Range(0, probe.ExampleCount)];
        using (var mislabel = DigitRun.Mislabel(images, seed: 1, BatchSize))
        {
            Assert.Equal(2, mislabel.PlantedSteps.Count);
            Assert.Equal(1, PlantedSteps.AreaUnderCurve(mislabel, probe, all, sign: -1));
            Assert.Equal(0, PlantedSteps.AreaUnderCurve(mislabel, probe, all, sign: 1));
        }

        // Labels go round: every tenth image is of the foreign class.
        int[] foreign = [.. all.Where(i => i % DigitSet.Classes == DigitRun.ForeignDigit)];
        using var insert = DigitRun.Insert(Images(2600), seed: 1, BatchSize);
        Assert.Equal(DigitRun.InsertedSteps, insert.PlantedSteps.Count);
        Assert.Equal(1, PlantedSteps.AreaUnderCurve(insert, probe, foreign, sign: 1));
    }

    private static PerceptronObjective Small(out DigitSet digits)
    {
        digits = Images(12);
        return new PerceptronObjective(digits.Images, digits.Labels, hidden: 6, DigitSet.Classes, float64);
    }

    private static PerceptronObjective Probe()
    {
        var digits = Images(100, stream: "probe");
        return new PerceptronObjective(digits.Images, digits.Labels, DigitRun.Hidden, DigitSet.Classes);
    }

    /// <summary>A pattern for each class, under noise; labels go round.</summary>
    private static DigitSet Images(int count, string stream = "train")
    {
        var patternRandom = StableRandom.For(1, "patterns");
        double[][] patterns =
        [
            .. Enumerable.Range(0, DigitSet.Classes)
                .Select(_ => Enumerable.Range(0, Side * Side).Select(_ => 2 * patternRandom.NextDouble()).ToArray()),
        ];
        var random = StableRandom.For(1, "noise", stream);
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % DigitSet.Classes)];
        return new DigitSet(
            Side, [.. labels.Select(label => patterns[label].Select(ink => (float)(ink + (0.2 * random.NextNormal()))).ToArray())], labels);
    }
}
