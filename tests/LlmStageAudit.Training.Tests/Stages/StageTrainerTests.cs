using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Batches;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Tests.Stages;

public sealed class StageTrainerTests
{
    private const int Parameters = 5;
    private static readonly OptimizerSection s_sgd =
        new() { Name = OptimizerName.Sgd, LearningRate = 0.02, Momentum = 0.9, WeightDecay = 0.01 };
    private static readonly OptimizerSection s_adamW =
        new() { Name = OptimizerName.AdamW, LearningRate = 0.02, WeightDecay = 0.1, ClipNorm = 0.7 };
    private readonly PolynomialObjective _objective = PolynomialObjective.Random(7, Parameters, seed: 3, cubic: 0.1);

    [Fact]
    public void A_program_holds_the_batches_and_rates_of_every_epoch()
    {
        var program = StageProgram.Of(Section(s_sgd), _objective, seed: 4);
        Assert.Equal(9, program.Steps.Count); // 3 epochs of 7 examples, 3 at a time
        Assert.Equal(Enumerable.Range(1, 9), program.Steps.Select(step => step.StageStep));
        Assert.Equal([0, 0, 0, 1, 1, 1, 2, 2, 2], program.Steps.Select(step => step.Epoch));
        Assert.Equal(
            Enumerable.Range(0, 3).SelectMany(epoch => BatchOrder.Epoch(4, "stage", epoch, 7, 3, true)),
            program.Steps.Select(step => step.Batch));
        // The schedule runs over the whole stage, not over each epoch: 2 steps of warm-up, then down a line over 7.
        Assert.Equal(
            [0, 0.01, 0.02, 0.02 * 6 / 7, 0.02 * 5 / 7, 0.02 * 4 / 7, 0.02 * 3 / 7, 0.02 * 2 / 7, 0.02 / 7],
            program.Steps.Select(step => step.LearningRate),
            (expected, found) => Math.Abs(expected - found) < 1e-16);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Training_is_the_optimizer_over_gradients_of_the_batches(bool adamW)
    {
        using var scope = NewDisposeScope();
        var section = Section(adamW ? s_adamW : s_sgd);
        var program = StageProgram.Of(section, _objective, seed: 4);
        var start = Vectors.Normal(Parameters, 1, 0.3);
        var plain = new PlainOptimizer(section.Optimizer, start);
        var taken = new List<(int Step, double Loss, double Norm)>();
        var (state, finished) = StageTrainer.Train(
            program, program.Optimizer.Start(TensorMemory.Of(start)), 1, step =>
                taken.Add((step.Step.StageStep, step.LossNats, step.GradientNorm)), default);
        using var owned = state;
        foreach (var (step, i) in program.Steps.Select((step, i) => (step, i)))
        {
            var (loss, gradient) = _objective.LossAndGradient(TensorMemory.Of(plain.Theta), step.Batch);
            Assert.Equal((i + 1, loss, gradient.norm().ToNumber()), (taken[i].Step, taken[i].Loss, taken[i].Norm), Near);
            plain.Step(gradient.ToArray<double>(), step.LearningRate);
        }

        Assert.True(finished);
        Vectors.Close(plain.Theta, state.Theta.ToArray<double>(), 1e-12);
    }

    [Fact]
    public void Going_on_from_a_later_step_gives_the_same_bits()
    {
        using var scope = NewDisposeScope();
        var program = StageProgram.Of(Section(s_adamW), _objective, seed: 4);
        var start = TensorMemory.Of(Vectors.Normal(Parameters, 1));
        var (whole, _) = StageTrainer.Train(program, program.Optimizer.Start(start), 1, _ => { }, default);
        using var stop = new CancellationTokenSource();
        var (part, finished) = StageTrainer.Train(
            program, program.Optimizer.Start(start), 1, step => { if (step.Step.StageStep == 4) stop.Cancel(); }, stop.Token);
        Assert.False(finished);
        Assert.Equal(4, part.Steps);
        var (rest, finishedNow) = StageTrainer.Train(program, part, 5, _ => { }, default);
        Assert.True(finishedNow);
        Vectors.SameBits(whole.Theta, rest.Theta);
        whole.Dispose();
        rest.Dispose();
    }

    [Fact]
    public void Micro_batches_lead_to_the_same_state()
    {
        using var scope = NewDisposeScope();
        var start = TensorMemory.Of(Vectors.Normal(Parameters, 1, 0.3));
        double[] Final(int? microBatchSize)
        {
            var program = StageProgram.Of(Section(s_sgd) with { MicroBatchSize = microBatchSize }, _objective, seed: 4);
            var (state, _) = StageTrainer.Train(program, program.Optimizer.Start(start), 1, _ => { }, default);
            using (state) return state.Theta.ToArray<double>();
        }

        Vectors.Close(Final(null), Final(1), 1e-12);
        Vectors.Close(Final(null), Final(2), 1e-12);
    }

    [Fact]
    public void Numbers_that_are_not_finite_stop_at_once_with_stage_and_step()
    {
        using var scope = NewDisposeScope();
        var cubic = PolynomialObjective.Random(7, Parameters, seed: 3, cubic: 5);
        var program = StageProgram.Of(Section(s_sgd with { LearningRate = 1e30 }) with { Schedule = new() }, cubic, seed: 4);
        var error = Assert.Throws<TrainingException>(() =>
            StageTrainer.Train(program, program.Optimizer.Start(TensorMemory.Of(Vectors.Normal(Parameters, 1))), 1, _ => { }, default));
        Assert.Matches("^stage 'stage', step [3-6]: the (loss|gradient norm) is ", error.Message);
        Assert.Equal(ErrorKind.Failure, error.Kind);
    }

    [Fact]
    public void Live_tensors_stay_constant_over_the_steps_and_return_after_them()
    {
        using var start = TensorMemory.Of(Vectors.Normal(Parameters, 1));
        var program = StageProgram.Of(Section(s_adamW), _objective, seed: 4);
        var counts = new List<long>();
        LiveTensors.ReturnToTheirCount(() =>
        {
            counts.Clear();
            var (state, _) = StageTrainer.Train(program, program.Optimizer.Start(start), 1, _ => counts.Add(Tensor.TotalCount), default);
            state.Dispose();
        });
        Assert.Equal(9, counts.Count);
        Assert.Single(counts.Distinct());
    }

    private static StageSection Section(OptimizerSection optimizer) => new()
    {
        Name = "stage",
        Dataset = new DatasetSection { Path = "none" },
        Epochs = 3,
        BatchSize = 3,
        Optimizer = optimizer,
        Schedule = new ScheduleSection { Name = ScheduleName.Linear, WarmupSteps = 2 },
    };

    private static bool Near((int Step, double Loss, double Norm) a, (int Step, double Loss, double Norm) b) =>
        a.Step == b.Step && Math.Abs(a.Loss - b.Loss) < 1e-12 && Math.Abs(a.Norm - b.Norm) < 1e-12;
}
