using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Tests.Trust;

public sealed class ErrorPropagationTests
{
    private const double Rate = 0.03;

    [Theory]
    [InlineData(1, 0.9)]
    [InlineData(2, 0.9)]
    [InlineData(20, 0.9)]
    [InlineData(20, 0)]
    [InlineData(7, 0.5)]
    public void With_Sgd_it_is_the_geometric_series_of_momentum(int stepsLeft, double momentum)
    {
        var error = Vectors.Normal(SmallRun.Parameters, 2, 0.1);
        var expected = -Rate * (1 - Math.Pow(momentum, stepsLeft)) / (1 - momentum);
        var program = Program(Sgd(momentum), steps: 24);
        Vectors.Close([.. error.Select(e => expected * e)], Drift(program, 24 - stepsLeft + 1, error), 1e-12);
    }

    [Fact]
    public void Momentum_is_followed_for_twenty_steps() => Assert.Equal(
        Drift(Program(Sgd(0.9), 100), 1, Vectors.Normal(SmallRun.Parameters, 2)),
        Drift(Program(Sgd(0.9), 20), 1, Vectors.Normal(SmallRun.Parameters, 2)));

    [Fact]
    public void Rates_are_those_of_the_job()
    {
        var error = Vectors.Normal(SmallRun.Parameters, 2, 0.1);
        var program = Program(Sgd(0.9), steps: 5, SmallRun.Linear);
        var expected = program.Steps.Skip(1).Select((step, i) => step.LearningRate * Math.Pow(0.9, i)).Sum();
        Vectors.Close([.. error.Select(e => -expected * e)], Drift(program, 2, error), 1e-12);
    }

    /// <summary>
    /// The first step of a fresh AdamW is the sign of the gradient: an error that turns a sign costs two steps, however small.
    /// </summary>
    [Fact]
    public void With_AdamW_it_is_bounded_by_the_steps()
    {
        using var scope = NewDisposeScope();
        var program = Program(SmallRun.AdamW with { WeightDecay = 0 }, steps: 1);
        using var start = program.Optimizer.Start(zeros([SmallRun.Parameters], float64));
        var tiny = Scalars.Filled([SmallRun.Parameters], 1e-6, float64, CPU);
        using var wrong = program.Optimizer.Advance(start, -tiny, 0.05);
        using var right = program.Optimizer.Advance(start, tiny, 0.05);
        Assert.All(SpotCheck.Drift(program, 1, wrong, right, tiny).ToArray<double>(), drift => Assert.Equal(2 * 0.05, drift, 0.05 * 0.03));
    }

    [Fact]
    public void No_error_goes_nowhere() => Assert.All(
        Drift(Program(SmallRun.AdamW, 6), 2, new double[SmallRun.Parameters]), drift => Assert.Equal(0, drift));

    [Fact]
    public void Live_tensors_return() =>
        LiveTensors.ReturnToTheirCount(() => Drift(Program(SmallRun.AdamW, 6), 2, Vectors.Normal(SmallRun.Parameters, 2)));

    private static OptimizerSection Sgd(double momentum) => new() { Name = OptimizerName.Sgd, LearningRate = Rate, Momentum = momentum };

    private static StageProgram Program(OptimizerSection optimizer, int steps, ScheduleSection? schedule = null) => new(
        SmallRun.Section("stage", optimizer) with { Schedule = schedule ?? new ScheduleSection { Name = ScheduleName.Constant } },
        PolynomialObjective.Random(4, SmallRun.Parameters, 20),
        seed: 5,
        Enumerable.Range(0, steps).Select(_ => (0, new[] { 0, 1 })));

    private static double[] Drift(StageProgram program, int stageStep, double[] error)
    {
        using var scope = NewDisposeScope();
        using var start = program.Optimizer.Start(TensorMemory.Of(Vectors.Normal(SmallRun.Parameters, 3)));
        // A state with momentum, as a step in the middle of a job finds it.
        using var before = program.Optimizer.Advance(start, TensorMemory.Of(Vectors.Normal(SmallRun.Parameters, 4)), 0.01);
        var truth = TensorMemory.Of(Vectors.Normal(SmallRun.Parameters, 5));
        var rate = program.Steps[stageStep - 1].LearningRate;
        using var wrong = program.Optimizer.Advance(before, truth + TensorMemory.Of(error), rate);
        using var right = program.Optimizer.Advance(before, truth, rate);
        return SpotCheck.Drift(program, stageStep, wrong, right, truth).ToArray<double>();
    }
}
