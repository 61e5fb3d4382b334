using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Tests.Runs;

public sealed class MemoryTrajectoryTests
{
    private const int Parameters = 5;
    private static readonly OptimizerSection s_sgd =
        new() { Name = OptimizerName.Sgd, LearningRate = 0.02, Momentum = 0.9, WeightDecay = 0.01 };
    private static readonly OptimizerSection s_adamW = new() { Name = OptimizerName.AdamW, LearningRate = 0.05, WeightDecay = 0.1 };
    private readonly StageProgram[] _programs = [Program("first", s_sgd, 7), Program("second", s_adamW, 5)];

    [Fact]
    public void States_and_gradients_are_those_of_optimizers_written_out()
    {
        using var scope = NewDisposeScope();
        var start = Vectors.Normal(Parameters, 1, 0.3);
        var seen = new List<(int Stage, int Step, double Loss)>();
        using var trajectory = MemoryTrajectory.Train(
            _programs, TensorMemory.Of(start), (stage, step) => seen.Add((stage, step.Step.StageStep, step.LossNats)));
        Assert.Equal(start, trajectory.StateBefore(0).ToArray<double>());
        var expected = start;
        foreach (var (program, stage) in _programs.Select((program, stage) => (program, stage)))
        {
            // A stage begins with fresh buffers.
            var plain = new PlainOptimizer(stage == 0 ? s_sgd : s_adamW, expected);
            using var log = trajectory.OpenGradients(stage);
            Assert.True(log.HasGradients);
            foreach (var step in program.Steps)
            {
                var (loss, gradient) = program.Objective.LossAndGradient(TensorMemory.Of(plain.Theta), step.Batch);
                Vectors.Close(gradient.ToArray<double>(), log.Gradient(step).ToArray<double>(), 1e-12);
                Assert.Equal((stage, step.StageStep), (seen[0].Stage, seen[0].Step));
                Assert.Equal(loss, seen[0].Loss, 1e-12);
                seen.RemoveAt(0);
                plain.Step(gradient.ToArray<double>(), step.LearningRate);
            }

            expected = plain.Theta;
            Vectors.Close(expected, trajectory.StateBefore(stage + 1).ToArray<double>(), 1e-12);
        }

        Assert.Empty(seen);
    }

    [Fact]
    public void What_it_hands_out_are_copies()
    {
        using var scope = NewDisposeScope();
        using var trajectory = MemoryTrajectory.Train(_programs, TensorMemory.Of(Vectors.Normal(Parameters, 1)));
        using var log = trajectory.OpenGradients(1);
        var step = _programs[1].Steps[0];
        var (state, gradient) = (trajectory.StateBefore(1).ToArray<double>(), log.Gradient(step).ToArray<double>());
        trajectory.StateBefore(1).copy_(TensorMemory.Of(new double[Parameters]));
        log.Gradient(step).copy_(TensorMemory.Of(new double[Parameters]));
        Assert.Equal(state, trajectory.StateBefore(1).ToArray<double>());
        Assert.Equal(gradient, log.Gradient(step).ToArray<double>());
    }

    [Fact]
    public void It_outlives_the_scope_it_was_trained_in_and_frees_everything_with_itself()
    {
        using var start = TensorMemory.Of(Vectors.Normal(Parameters, 1));
        LiveTensors.ReturnToTheirCount(() =>
        {
            MemoryTrajectory trajectory;
            using (NewDisposeScope()) trajectory = MemoryTrajectory.Train(_programs, start);
            using (trajectory)
            {
                using var final = trajectory.StateBefore(2);
                Assert.All(final.ToArray<double>(), value => Assert.True(double.IsFinite(value)));
            }
        });
    }

    [Fact]
    public void Cancelled_training_keeps_nothing()
    {
        using var start = TensorMemory.Of(Vectors.Normal(Parameters, 1));
        LiveTensors.ReturnToTheirCount(() =>
        {
            using var stop = new CancellationTokenSource();
            var steps = 0;
            Assert.Throws<OperationCanceledException>(() => MemoryTrajectory.Train(
                _programs,
                start,
                (_, _) =>
                {
                    if (++steps == 8) stop.Cancel(); // in the second stage
                },
                stop.Token));
            Assert.Equal(8, steps);
        });
    }

    [Fact]
    public void A_start_that_does_not_fit_is_refused()
    {
        using var scope = NewDisposeScope();
        void Refused(Tensor start, string found)
        {
            var error = Assert.Throws<ArgumentException>(() => MemoryTrajectory.Train(_programs, start));
            Assert.Contains($"stage 'first': the start is {found}", error.Message, StringComparison.Ordinal);
        }

        Refused(TensorMemory.Of(Vectors.Normal(Parameters + 1, 1)), "Float64 [6]");
        Refused(TensorMemory.Of(Vectors.Normal(Parameters, 1), [1, Parameters]), "Float64 [1, 5]");
        Refused(TensorMemory.Of(Vectors.Normal(Parameters, 1)).to(float32), "Float32 [5]");
    }

    private static StageProgram Program(string name, OptimizerSection optimizer, int examples)
    {
        var section = new StageSection
        {
            Name = name,
            Dataset = new DatasetSection { Path = "none" },
            Epochs = 2,
            BatchSize = 3,
            Optimizer = optimizer,
            Schedule = new ScheduleSection { Name = ScheduleName.Linear, WarmupSteps = 1 },
        };
        return StageProgram.Of(section, PolynomialObjective.Random(examples, Parameters, seed: examples, cubic: 0.1), seed: 4);
    }
}
