using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;
using LlmStageAudit.Training.Optimizers;

namespace LlmStageAudit.Training.Tests.Optimizers;

public sealed class OptimizerMapTests
{
    private static readonly OptimizerSection s_sgd =
        new() { Name = OptimizerName.Sgd, LearningRate = 1, Momentum = 0.9, WeightDecay = 0.05 };

    private static readonly OptimizerSection s_adamW =
        new() { Name = OptimizerName.AdamW, LearningRate = 1, Beta1 = 0.85, Beta2 = 0.99, Epsilon = 1e-3, WeightDecay = 0.2 };

    public static TheoryData<string, OptimizerSection> Sections => new()
    {
        { "sgd", s_sgd },
        { "plain sgd", s_sgd with { Momentum = 0, WeightDecay = 0 } },
        { "sgd, clipped", s_sgd with { ClipNorm = 0.5 } },
        { "sgd, sometimes clipped", s_sgd with { ClipNorm = 3 } },
        { "sgd, never clipped", s_sgd with { ClipNorm = 1e6 } },
        { "adamw", s_adamW },
        { "adamw, clipped", s_adamW with { ClipNorm = 0.5 } },
        { "adamw, never clipped", s_adamW with { ClipNorm = 1e6 } },
        { "adamw, defaults", new OptimizerSection { Name = OptimizerName.AdamW, LearningRate = 1 } },
    };

    [Theory]
    [MemberData(nameof(Sections))]
    public void Seven_steps_agree_with_plain_arithmetic(string name, OptimizerSection section)
    {
        Assert.NotEmpty(name);
        using var scope = NewDisposeScope();
        var map = OptimizerMap.Of(section);
        var start = Vectors.Normal(9, seed: 1);
        var plain = new PlainOptimizer(section, start);
        var state = map.Start(TensorMemory.Of(start));
        for (var step = 0; step < 7; step++)
        {
            var gradient = Vectors.Normal(9, seed: 100 + step);
            var learningRate = 0.1 / (1 + step);
            plain.Step(gradient, learningRate);
            var next = map.Advance(state, TensorMemory.Of(gradient), learningRate);
            state.Dispose();
            state = next;
            Assert.Equal(step + 1, state.Steps);
            Vectors.Close(plain.Theta, state.Theta.ToArray<double>(), 1e-13);
            foreach (var (expected, found) in plain.Buffers.Zip(state.Buffers)) Vectors.Close(expected, found.ToArray<double>(), 1e-13);
        }

        state.Dispose();
    }

    [Fact]
    public void One_step_of_each_worked_out_by_hand()
    {
        using var scope = NewDisposeScope();
        // SGD: v = 0.9 * 0 + 2 + 0.05 * 1 = 2.05; theta = 1 - 0.1 * 2.05. Second: v = 0.9 * 2.05 - 1 + 0.05 * 0.795 = 0.88475.
        var sgd = OptimizerMap.Of(s_sgd);
        using var first = sgd.Start(TensorMemory.Of([1.0]));
        using var second = sgd.Advance(first, TensorMemory.Of([2.0]), 0.1);
        using var third = sgd.Advance(second, TensorMemory.Of([-1.0]), 0.1);
        Assert.Equal(0.795, second.Theta.ToNumber(), 14);
        Assert.Equal(0.795 - 0.088475, third.Theta.ToNumber(), 14);
        // AdamW, first step: m / c1 = g and sqrt(u / c2) = |g| whatever the betas, so theta = (1 - 0.1 * 0.2) * 1 - 0.1 * 2 / 2.001.
        var adamW = OptimizerMap.Of(s_adamW);
        using var fresh = adamW.Start(TensorMemory.Of([1.0]));
        using var moved = adamW.Advance(fresh, TensorMemory.Of([2.0]), 0.1);
        Assert.Equal(0.98 - (0.2 / 2.001), moved.Theta.ToNumber(), 14);
    }

    [Fact]
    public void A_clipped_gradient_has_the_length_of_the_limit_and_its_own_direction()
    {
        using var scope = NewDisposeScope();
        var map = OptimizerMap.Of(new OptimizerSection { Name = OptimizerName.Sgd, LearningRate = 1, ClipNorm = 0.5 });
        using var start = map.Start(TensorMemory.Of([0.0, 0]));
        using var next = map.Advance(start, TensorMemory.Of([3.0, -4]), 1);
        Assert.Equal([-0.3, 0.4], next.Theta.ToArray<double>(), (expected, found) => Math.Abs(expected - found) < 1e-6);
    }

    [Fact]
    public void A_map_leaves_its_arguments_alone()
    {
        using var scope = NewDisposeScope();
        var theta = TensorMemory.Of(Vectors.Normal(5, 1));
        var gradient = TensorMemory.Of(Vectors.Normal(5, 2));
        foreach (var section in new[] { s_sgd with { ClipNorm = 0.1 }, s_adamW with { ClipNorm = 0.1 } })
        {
            var map = OptimizerMap.Of(section);
            using var start = map.Start(theta);
            using var next = map.Advance(start, gradient, 0.1);
            Assert.False(next.Theta.Equals(theta));
            Assert.Equal(Vectors.Normal(5, 1), start.Theta.ToArray<double>());
            Assert.Equal(Vectors.Normal(5, 1), theta.ToArray<double>());
            Assert.Equal(Vectors.Normal(5, 2), gradient.ToArray<double>());
            Assert.All(start.Buffers, buffer => Assert.Equal(0, buffer.norm().ToNumber()));
            Assert.Equal((0, 1), (start.Steps, next.Steps));
        }
    }

    [Fact]
    public void A_clone_is_a_state_of_its_own()
    {
        using var scope = NewDisposeScope();
        var map = OptimizerMap.Of(s_adamW);
        using var start = map.Start(TensorMemory.Of(Vectors.Normal(5, 1)));
        using var state = map.Advance(start, TensorMemory.Of(Vectors.Normal(5, 2)), 0.1);
        using var clone = state.Clone();
        Vectors.SameBits(state.Theta, clone.Theta);
        foreach (var (buffer, copy) in state.Buffers.Zip(clone.Buffers)) Vectors.SameBits(buffer, copy);
        Assert.Equal(1, clone.Steps);
        state.Theta.copy_(state.Theta.times(0));
        Assert.NotEqual(0, clone.Theta.norm().ToNumber());
    }

    [Fact]
    public void Live_tensors_return_to_their_count()
    {
        using var theta = TensorMemory.Of(Vectors.Normal(5, 1));
        foreach (var section in new[] { s_sgd with { ClipNorm = 0.1 }, s_adamW with { ClipNorm = 0.1 } })
        {
            LiveTensors.ReturnToTheirCount(() =>
            {
                var map = OptimizerMap.Of(section);
                using var start = map.Start(theta);
                using var next = map.Advance(start, theta, 0.1);
                using var clone = next.Clone();
            });
        }
    }
}
