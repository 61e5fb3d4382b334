using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Tests.Adjoint;

/// <summary>Three jobs with schedules and fresh optimizers, clipped in the middle one, in float64.</summary>
public sealed class AdjointSweepTests
{
    private const double Identity = 1e-12;
    private static readonly double[] s_probe = Vectors.Normal(SmallRun.Parameters, 300);

    public static TheoryData<string, OptimizerSection> Optimizers => new()
    {
        { "sgd", SmallRun.Sgd },
        { "adamw", SmallRun.AdamW },
    };

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Step_scores_are_those_of_forward_propagation(string name, OptimizerSection optimizer)
    {
        Assert.NotEmpty(name);
        using var run = Train(optimizer);
        var sweep = Sweep(run, s_probe);
        var questions = run.Programs
            .SelectMany((program, stage) => program.Steps.Select(step => Counterfactual.WithoutSteps("one", stage, [step.StageStep])))
            .ToArray();
        Assert.Equal(16, sweep.Steps.Count);
        CloseAll(Forward(run, questions), [.. sweep.Steps.Select(step => step.Effect)]);
    }

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Block_scores_are_those_of_forward_propagation(string name, OptimizerSection optimizer)
    {
        Assert.NotEmpty(name);
        using var run = Train(optimizer);
        var sweep = Sweep(run, s_probe);
        CloseAll(
            Forward(run, [.. Enumerable.Range(0, 3).Select(stage => Counterfactual.WithoutStage("stage", stage))]),
            sweep.StageEffects);

        // Inside a job, a whole job, and across the boundaries of jobs; stages have 6, 4 and 6 steps.
        (int First, int Last)[] blocks = [(1, 6), (2, 4), (7, 10), (8, 9), (5, 8), (3, 16), (1, 16), (11, 16), (12, 15), (16, 16)];
        CloseAll(
            Forward(run, [.. blocks.Select(block => Without(block.First, block.Last))]),
            [.. blocks.Select(block => sweep.Blocks!.Effect(block.First, block.Last))]);
        Assert.Equal(sweep.Steps[8].Effect, sweep.Blocks!.Effect(9, 9), Identity);
    }

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Example_scores_add_up_to_their_batch(string name, OptimizerSection optimizer)
    {
        Assert.NotEmpty(name);
        using var run = Train(optimizer);
        foreach (var step in Sweep(run, s_probe).Steps)
        {
            Assert.Equal(run.Programs[step.StageIndex].Steps[step.StageStep - 1].Batch.Length, step.ExampleEffects!.Count);
            Assert.Equal(step.BatchEffect, step.ExampleEffects.Sum(), Identity * Math.Max(1, Math.Abs(step.BatchEffect)));
        }
    }

    /// <summary>Training again, with the true gradients wherever it comes to, but one step's gradient a little larger or smaller.</summary>
    [Theory]
    [MemberData(nameof(Optimizers))]
    public void Batch_scores_are_the_derivative_of_training_in_the_weight_of_a_batch(string name, OptimizerSection optimizer)
    {
        Assert.NotEmpty(name);
        using var run = Train(optimizer);
        const double h = 1e-5;
        foreach (var score in Sweep(run, s_probe).Steps)
        {
            var (up, down) = (Gamma(Weighted(run, score, 1 + h)), Gamma(Weighted(run, score, 1 - h)));
            Assert.Equal((up - down) / (2 * h), score.BatchEffect, 1e-6 * Math.Max(1e-2, Math.Abs(score.BatchEffect)));
        }
    }

    /// <summary>
    /// The score of a step is the tangent of its effect: ten times smaller updates leave about a hundred times less beside it.
    /// </summary>
    [Fact]
    public void First_order_error_falls_as_the_square()
    {
        double Error(double rate)
        {
            using var run = Train(SmallRun.Sgd with { LearningRate = rate });
            var truth = run.Retrain((stage, step) => stage == 1 && step.StageStep == 2);
            var score = Sweep(run, s_probe).Steps[7].Effect;
            return Math.Abs(Gamma(run.Final()) - Gamma(truth) - score);
        }

        Assert.InRange(Error(2e-3) / Error(2e-4), 60, 2000);
    }

    [Theory]
    [MemberData(nameof(Optimizers))]
    public void The_interval_of_kept_states_changes_no_bit(string name, OptimizerSection optimizer)
    {
        Assert.NotEmpty(name);
        using var run = Train(optimizer);
        var usual = Sweep(run, s_probe);
        foreach (var interval in new[] { 1, 2, 5, 100 })
        {
            var other = Sweep(run, s_probe, interval: interval);
            Assert.Equal(Bits(usual), Bits(other));
            CloseAll(
                [.. Enumerable.Range(1, 16).Select(last => usual.Blocks!.Effect(1, last))],
                [.. Enumerable.Range(1, 16).Select(last => other.Blocks!.Effect(1, last))]);
        }

        static IEnumerable<double> Bits(SweepResult sweep) =>
            sweep.Steps.SelectMany(step => step.ExampleEffects!.Append(step.Effect)).Concat(sweep.StageEffects);
    }

    [Fact]
    public void Probes_swept_together_are_those_swept_alone()
    {
        using var run = Train(SmallRun.AdamW);
        double[][] probes = [s_probe, Vectors.Normal(SmallRun.Parameters, 301), [.. s_probe.Select(value => -2 * value)]];
        using var scope = NewDisposeScope();
        var together = new AdjointSweep(run, new Estimator.Adjoint(new Curvature.Full()), seed: 0)
            .Run([.. probes.Select(probe => TensorMemory.Of(probe))], true, true, null, default);
        for (var i = 0; i < probes.Length; i++)
        {
            var alone = Sweep(run, probes[i]);
            CloseAll([.. alone.Steps.Select(step => step.Effect)], [.. together[i].Steps.Select(step => step.Effect)]);
            CloseAll(
                [.. alone.Steps.SelectMany(step => step.ExampleEffects!)],
                [.. together[i].Steps.SelectMany(step => step.ExampleEffects!)]);
            CloseAll(alone.StageEffects, together[i].StageEffects);
            CloseAll([alone.Blocks!.Effect(2, 13)], [together[i].Blocks!.Effect(2, 13)]);
        }
    }

    [Fact]
    public void A_share_of_the_batch_gives_other_scores_and_the_whole_share_the_same()
    {
        using var run = Train(SmallRun.Sgd);
        var full = Sweep(run, s_probe).StageEffects;
        Assert.Equal(full, Sweep(run, s_probe, seed: 9).StageEffects);
        var half = Sweep(run, s_probe, rho: 0.5, seed: 9);
        Assert.NotEqual(full[0], half.StageEffects[0]);
        Assert.Equal(half.StageEffects, Sweep(run, s_probe, rho: 0.5, seed: 9).StageEffects);
        Assert.All(
            half.Steps,
            step => Assert.Equal(step.BatchEffect, step.ExampleEffects!.Sum(), Identity * Math.Max(1, Math.Abs(step.BatchEffect))));
    }

    [Fact]
    public void A_sweep_leaves_no_tensor_behind()
    {
        using var run = Train(SmallRun.AdamW);
        var before = LiveTensors.Settled();
        Sweep(run, s_probe);
        Assert.Equal(before, Tensor.TotalCount);
        Forward(run, [Without(2, 9)]);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Without_logged_gradients_there_is_nothing_to_sweep()
    {
        using var run = SmallRun.Train(SmallRun.Sgd, 0.3, logsGradients: false);
        Assert.Contains(
            "log holds no gradients",
            Assert.Throws<AttributionException>(() => Sweep(run, s_probe)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_that_leads_elsewhere_is_noticed()
    {
        using var run = Train(SmallRun.Sgd);
        run.Tamper(1, 2, 1.5);
        var error = Assert.Throws<AttributionException>(() => Sweep(run, s_probe));
        Assert.Contains("stage 'second'", error.Message, StringComparison.Ordinal);
    }

    private static RetrainableTrajectory Train(OptimizerSection optimizer) =>
        SmallRun.Train(
            optimizer,
            cubic: 0.3,
            (index, section) => index == 1 ? section with { Optimizer = optimizer with { ClipNorm = 0.8 } } : section);

    private static SweepResult Sweep(RetrainableTrajectory run, double[] probe, double rho = 1, long seed = 0, int? interval = null)
    {
        using var scope = NewDisposeScope();
        return new AdjointSweep(run, new Estimator.Adjoint(new Curvature.Full(rho)), seed) { CheckpointInterval = interval }
            .Run([TensorMemory.Of(probe)], ofExamples: true, ofBlocks: true, null, default)[0];
    }

    private static double[] Forward(ITrajectory run, Counterfactual[] questions)
    {
        using var scope = NewDisposeScope();
        return [.. new ForwardPropagation(run, CurvatureProduct.Full(), epsilonFloor: 0).Run(questions, eachAlone: false, null, default)
            .Select(change => change.dot(TensorMemory.Of(s_probe)).ToNumber())];
    }

    /// <summary>Steps numbered from 1 through the run.</summary>
    private static Counterfactual Without(int first, int last)
    {
        (int Stage, int Before)[] starts = [(0, 0), (1, 6), (2, 10)];
        return new Counterfactual("block", Enumerable.Range(first, last - first + 1)
            .GroupBy(step => starts.Last(start => start.Before < step))
            .ToDictionary(
                group => group.Key.Stage,
                group => (IReadOnlySet<int>?)group.Select(step => step - group.Key.Before).ToHashSet()));
    }

    private static double[] Weighted(ITrajectory run, StepScore at, double factor)
    {
        using var scope = NewDisposeScope();
        var theta = run.StateBefore(0);
        for (var stage = 0; stage < run.Programs.Count; stage++)
        {
            var program = run.Programs[stage];
            var state = program.Optimizer.Start(theta);
            foreach (var step in program.Steps)
            {
                var gradient = program.Objective.LossAndGradient(state.Theta, step.Batch).Gradient;
                var mine = stage == at.StageIndex && step.StageStep == at.StageStep;
                state = program.Optimizer.Advance(state, mine ? gradient.times(factor) : gradient, step.LearningRate);
            }

            theta = state.Theta;
        }

        return theta.ToArray<double>();
    }

    private static double Gamma(double[] theta) => theta.Zip(s_probe, (one, other) => one * other).Sum();

    private static void CloseAll(IReadOnlyList<double> expected, IReadOnlyList<double> found)
    {
        Assert.Equal(expected.Count, found.Count);
        var scale = expected.Max(Math.Abs);
        Assert.All(expected.Zip(found), pair => Assert.Equal(pair.First, pair.Second, Identity * scale));
    }
}
