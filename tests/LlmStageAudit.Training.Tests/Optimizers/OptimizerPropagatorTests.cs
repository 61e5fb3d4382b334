using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Optimizers;

namespace LlmStageAudit.Training.Tests.Optimizers;

public sealed class OptimizerPropagatorTests
{
    private const int Size = 7;
    private const double Rate = 0.03;

    public static TheoryData<string, OptimizerSection> Sections => new()
    {
        { "sgd", new() { Name = OptimizerName.Sgd, LearningRate = 1, Momentum = 0.9, WeightDecay = 0.05 } },
        { "sgd, clipped", new() { Name = OptimizerName.Sgd, LearningRate = 1, Momentum = 0.8, WeightDecay = 0.05, ClipNorm = 0.7 } },
        { "sgd, not clipped", new() { Name = OptimizerName.Sgd, LearningRate = 1, Momentum = 0.8, ClipNorm = 1e6 } },
        { "adamw", new() { Name = OptimizerName.AdamW, LearningRate = 1, Beta1 = 0.85, Beta2 = 0.97, WeightDecay = 0.2 } },
        { "adamw, clipped", new() { Name = OptimizerName.AdamW, LearningRate = 1, Epsilon = 1e-3, WeightDecay = 0.2, ClipNorm = 0.7 } },
    };

    /// <summary>Central differences of the map itself, along a direction in every part of the state and in the gradient.</summary>
    [Theory]
    [MemberData(nameof(Sections))]
    public void Forward_is_the_derivative_of_the_map(string name, OptimizerSection section)
    {
        Assert.NotEmpty(name);
        using var scope = NewDisposeScope();
        var at = new Point(section);
        var direction = at.Direction(seed: 50, steps: 0);
        var gradientChange = TensorMemory.Of(Vectors.Normal(Size, 60));
        var found = at.Propagator().Forward(direction, gradientChange);

        const double h = 1e-5;
        var (up, down) = (at.Moved(direction, gradientChange, h), at.Moved(direction, gradientChange, -h));
        Vectors.Close(Slope(up.Theta, down.Theta), found.Theta.ToArray<double>(), 1e-7);
        for (var i = 0; i < found.Buffers.Count; i++)
            Vectors.Close(Slope(up.Buffers[i], down.Buffers[i]), found.Buffers[i].ToArray<double>(), 1e-7);

        static double[] Slope(Tensor up, Tensor down) => (up - down).over(2 * h).ToArray<double>();
    }

    [Theory]
    [MemberData(nameof(Sections))]
    public void The_adjoint_is_the_transpose(string name, OptimizerSection section)
    {
        Assert.NotEmpty(name);
        using var scope = NewDisposeScope();
        var at = new Point(section);
        var (direction, function) = (at.Direction(50, steps: 1.3), at.Direction(70, steps: -0.4));
        var gradientChange = TensorMemory.Of(Vectors.Normal(Size, 60));
        var propagator = at.Propagator(epsilonFloor: 0.01);
        var (before, gradient) = propagator.Adjoint(function);

        var pushed = function.Dot(propagator.Forward(direction, gradientChange));
        var pulled = before.Dot(direction) + gradient.dot(gradientChange).ToNumber();
        Assert.Equal(pushed, pulled, 1e-12 * Math.Max(1, Math.Abs(pushed)));
    }

    /// <summary>A counterfactual that is one step behind in k, all else equal, ends where the difference of the two updates says.</summary>
    [Fact]
    public void A_skipped_step_is_felt_through_the_bias_correction()
    {
        using var scope = NewDisposeScope();
        var at = new Point((OptimizerSection)Sections.Last()[1]);
        var behind = new OptimizerState(at.Before.Theta, at.Before.Buffers, at.Before.Steps - 1);
        var expected = (at.After.Theta - at.Map.Advance(behind, at.Gradient, Rate).Theta).ToArray<double>();
        Assert.True(expected.Max(Math.Abs) > 1e-4);

        var one = new StatePerturbation(zeros([Size], float64), [zeros([Size], float64), zeros([Size], float64)], 1);
        Vectors.Close(expected, at.Propagator().Forward(one, zeros([Size], float64)).Theta.ToArray<double>(), 1e-12);
    }

    [Fact]
    public void Where_a_coordinate_never_had_a_gradient_nothing_is_infinite()
    {
        using var scope = NewDisposeScope();
        var map = OptimizerMap.Of((OptimizerSection)Sections.ElementAt(3)[1]);
        var gradient = TensorMemory.Of([0.0, 1.0]);
        var after = map.Advance(map.Start(TensorMemory.Of([1.0, 2.0])), gradient, Rate);
        var (before, drawn) = map.Linearize(after, gradient, Rate).Adjoint(map.Perturbation(TensorMemory.Of([1.0, 1.0])));
        Assert.All(before.Theta.ToArray<double>().Concat(drawn.ToArray<double>()), value => Assert.True(double.IsFinite(value)));
    }

    /// <summary>A state a few steps into a job, and the update that follows.</summary>
    private sealed class Point
    {
        public Point(OptimizerSection section)
        {
            Map = OptimizerMap.Of(section);
            Before = Map.Start(TensorMemory.Of(Vectors.Normal(Size, 1)));
            for (var step = 0; step < 3; step++) Before = Map.Advance(Before, TensorMemory.Of(Vectors.Normal(Size, 10 + step)), Rate);
            Gradient = TensorMemory.Of(Vectors.Normal(Size, 20));
            After = Map.Advance(Before, Gradient, Rate);
        }

        public OptimizerMap Map { get; }

        public OptimizerState Before { get; }

        public OptimizerState After { get; }

        public Tensor Gradient { get; }

        public OptimizerPropagator Propagator(double epsilonFloor = 0) => Map.Linearize(After, Gradient, Rate, epsilonFloor);

        /// <summary>Second moments change in proportion, so that they stay above 0.</summary>
        public StatePerturbation Direction(long seed, double steps) => new(
            TensorMemory.Of(Vectors.Normal(Size, seed)),
            [
                .. Before.Buffers.Select((buffer, i) =>
                    TensorMemory.Of(Vectors.Normal(Size, seed + 1 + i)) * (i == 1 ? buffer : ones([Size], float64))),
            ],
            steps);

        public OptimizerState Moved(StatePerturbation direction, Tensor gradientChange, double h) => Map.Advance(
            new OptimizerState(
                Before.Theta.plus(direction.Theta, h),
                [.. Before.Buffers.Zip(direction.Buffers, (buffer, change) => buffer.plus(change, h))],
                Before.Steps),
            Gradient.plus(gradientChange, h),
            Rate);
    }
}
