using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Attribution.Tests.Replay;

public sealed class CounterfactualReplayTests
{
    public static TheoryData<string> Sources => [.. GradientSource.Names];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_skipped_step_advances_the_schedule_and_nothing_else(bool adamW)
    {
        // An independent loop: optimizer arithmetic over plain doubles, which knows nothing of skipped steps, and rates by place.
        var optimizer = (adamW ? SmallRun.AdamW : SmallRun.Sgd) with { ClipNorm = 2 };
        using var trajectory = SmallRun.Train(optimizer, cubic: 0.3);
        double[] expected = Vectors.Normal(SmallRun.Parameters, 1, 0.3);
        for (var stage = 0; stage < 3; stage++)
        {
            using var scope = NewDisposeScope();
            var plain = new PlainOptimizer(optimizer, expected);
            var program = trajectory.Programs[stage];
            for (var i = 0; i < program.Steps.Count; i++)
            {
                if (stage == 1 && (i is 1 or 2)) continue;
                // One step of warm-up, then down a line.
                var rate = i == 0 ? 0 : optimizer.LearningRate * (program.Steps.Count - i) / (program.Steps.Count - 1);
                plain.Step(program.Objective.LossAndGradient(TensorMemory.Of(plain.Theta), program.Steps[i].Batch).Gradient.ToArray<double>(), rate);
            }

            expected = plain.Theta;
        }

        Vectors.Close(expected, SmallRun.Replay(trajectory, "exact", Counterfactual.WithoutSteps("steps", 1, [2, 3])), 1e-12);
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void Skipping_all_steps_of_a_stage_is_leaving_it_out(string source)
    {
        using var trajectory = SmallRun.Train(SmallRun.AdamW, cubic: 0.3);
        var steps = Counterfactual.WithoutSteps("steps", 1, trajectory.Programs[1].Steps.Select(step => step.StageStep));
        Assert.Equal(SmallRun.ReplayWithout(trajectory, source, 1), SmallRun.Replay(trajectory, source, steps));
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void Counterfactuals_replayed_together_are_those_replayed_alone(string source)
    {
        using var trajectory = SmallRun.Train(SmallRun.Sgd, cubic: 0.3);
        Counterfactual[] all =
        [
            Counterfactual.WithoutStage("third", 2),
            Counterfactual.WithoutStage("first", 0),
            Counterfactual.WithoutSteps("early", 0, [1, 2]),
            Counterfactual.WithoutSteps("late", 2, [6]),
            Counterfactual.WithoutStage("second", 1),
            new("across", new Dictionary<int, IReadOnlySet<int>?> { [0] = new HashSet<int> { 6 }, [1] = new HashSet<int> { 1 } }),
        ];
        var together = SmallRun.Replay(trajectory, source, all);
        for (var i = 0; i < all.Length; i++) Assert.Equal(SmallRun.Replay(trajectory, source, all[i]), together[i]);
        Assert.Equal(all.Length, together.Select(state => string.Join(' ', state)).Distinct().Count());
    }

    [Fact]
    public void Steps_left_out_in_two_stages_are_left_out_of_both()
    {
        using var trajectory = SmallRun.Train(SmallRun.AdamW, cubic: 0.3);
        var across = new Counterfactual(
            "across", new Dictionary<int, IReadOnlySet<int>?> { [0] = new HashSet<int> { 5, 6 }, [2] = new HashSet<int> { 1 } });
        var truth = trajectory.Retrain((stage, step) => (stage == 0 && step.StageStep >= 5) || (stage == 2 && step.StageStep == 1));
        Assert.Equal(truth, SmallRun.Replay(trajectory, "exact", across));
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void Micro_batches_change_nothing_but_rounding(string source)
    {
        double[] Final(int? microBatchSize)
        {
            using var trajectory = SmallRun.Train(
                SmallRun.Sgd, cubic: 0.3, (_, section) => section with { MicroBatchSize = microBatchSize });
            return SmallRun.ReplayWithout(trajectory, source, 0);
        }

        Vectors.Close(Final(null), Final(1), 1e-12);
        Vectors.Close(Final(null), Final(3), 1e-12);
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void Live_tensors_return_to_their_count(string source)
    {
        using var trajectory = SmallRun.Train(SmallRun.AdamW with { ClipNorm = 1 }, cubic: 0.3);
        Counterfactual[] all =
            [
                Counterfactual.WithoutStage("first", 0),
                Counterfactual.WithoutStage("second", 1),
                Counterfactual.WithoutSteps("steps", 0, [2, 3]),
            ];
        LiveTensors.ReturnToTheirCount(() =>
        {
            var replay = new CounterfactualReplay(trajectory, SmallRun.Gradients(source, 0.5));
            foreach (var theta in replay.Run(all, null, default)) theta.Dispose();
        });
        LiveTensors.ReturnToTheirCount(() => SmallRun.Replay(trajectory, source, all));
    }

    [Theory]
    [InlineData("recorded")]
    [InlineData("linear")]
    [InlineData("midpoint")]
    [InlineData("sampled")]
    public void A_gradient_that_is_not_finite_is_named(string source)
    {
        using var trajectory = SmallRun.Train(SmallRun.Sgd, cubic: 0.3);
        trajectory.Tamper(1, 3, double.NaN);
        var error = Assert.Throws<AttributionException>(() => SmallRun.ReplayWithout(trajectory, source, 0));
        Assert.StartsWith(
            $"counterfactual 'first', stage 'second', step 3: the gradient of source '{source}' is not finite",
            error.Message,
            StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Failure, error.Kind);
        // Retraining looks at no logged gradient.
        Assert.Equal(trajectory.RetrainWithout(0), SmallRun.ReplayWithout(trajectory, "exact", 0));
    }

    [Fact]
    public void A_log_that_leads_elsewhere_is_found_out()
    {
        using var trajectory = SmallRun.Train(SmallRun.Sgd, cubic: 0.3);
        trajectory.Tamper(1, 3, 1.2);
        var error = Assert.Throws<AttributionException>(() => SmallRun.ReplayWithout(trajectory, "linear", 0));
        Assert.StartsWith(
            "stage 'second': the logged gradients lead to another state than the saved one", error.Message, StringComparison.Ordinal);
        // The third stage does not come by it.
        SmallRun.ReplayWithout(trajectory, "linear", 1);
    }

    [Fact]
    public void Without_logged_gradients_whole_stages_can_be_retrained_and_nothing_else()
    {
        using var trajectory = SmallRun.Train(SmallRun.Sgd, cubic: 0.3, logsGradients: false);
        Assert.Equal(trajectory.RetrainWithout(0), SmallRun.ReplayWithout(trajectory, "exact", 0));
        foreach (var source in new[] { "recorded", "linear", "midpoint", "sampled" })
        {
            var error = Assert.Throws<AttributionException>(() => SmallRun.ReplayWithout(trajectory, source, 0));
            Assert.Contains($"logged gradients, which source '{source}' needs", error.Message, StringComparison.Ordinal);
            Assert.Equal(ErrorKind.Input, error.Kind);
        }

        Assert.Throws<AttributionException>(() => SmallRun.Replay(trajectory, "exact", Counterfactual.WithoutSteps("steps", 0, [3])));
    }

    [Fact]
    public void Progress_counts_the_steps_walked_and_a_stop_is_heeded()
    {
        using var scope = NewDisposeScope();
        using var trajectory = SmallRun.Train(SmallRun.Sgd, cubic: 0.3);
        var seen = new List<(int Step, int Total)>();
        var replay = new CounterfactualReplay(trajectory, CounterfactualGradients.From(GradientSource.Of("exact"), 1));
        replay.Run([Counterfactual.WithoutStage("second", 1)], new Reports<(int, int)>(seen.Add), default);
        // Nothing before the second stage is walked: 4 + 6 steps.
        Assert.Equal(Enumerable.Range(1, 10).Select(step => (step, 10)), seen);

        using var source = new CancellationTokenSource();
        var stop = new Reports<(int Step, int)>(at => { if (at.Step == 3) source.Cancel(); });
        Assert.Throws<OperationCanceledException>(() => replay.Run([Counterfactual.WithoutStage("first", 0)], stop, source.Token));
    }

    [Fact]
    public void A_stage_begins_with_fresh_buffers()
    {
        // One step of SGD with momentum in the last stage: its velocity is its own gradient, whatever came before.
        using var scope = NewDisposeScope();
        using var trajectory = SmallRun.Train(
            SmallRun.Sgd,
            cubic: 0.3,
            (stage, section) => stage == 2 ? section with { Epochs = 1, BatchSize = 9, Schedule = new ScheduleSection() } : section);
        var before = trajectory.Retrain((stage, _) => stage != 0);
        var gradient = trajectory.Programs[2].Objective.LossAndGradient(
            TensorMemory.Of(before), trajectory.Programs[2].Steps[0].Batch).Gradient.ToArray<double>();
        var expected = before.Zip(gradient, (b, g) => b - (0.02 * (g + (0.01 * b)))).ToArray();
        Vectors.Close(expected, SmallRun.ReplayWithout(trajectory, "exact", 1), 1e-13);
    }
}
