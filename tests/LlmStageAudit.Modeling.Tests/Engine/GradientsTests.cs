using System.Runtime.InteropServices;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Engine;

public sealed class GradientsTests
{
    public static TheoryData<bool> Both => [false, true];

    [Fact]
    public void Gradient_of_a_cubic()
    {
        using var scope = NewDisposeScope();
        var x = TensorMemory.Of<double>([1, -2, 3]).requires_grad_();
        Assert.Equal([3.0, 12, 27], Gradients.Of([x.pow(3).sum()], [x])[0].ToArray<double>());
    }

    [Fact]
    public void Second_derivatives_through_create_graph()
    {
        // f = sum x^4 / 12: the Hessian is diag(x^2).
        using var scope = NewDisposeScope();
        var x = TensorMemory.Of<double>([1, -2, 3]).requires_grad_();
        var first = Gradients.Of([x.pow(4).sum() / 12], [x], createGraph: true)[0];
        var product = Gradients.Of([first], [x], [TensorMemory.Of<double>([1, 10, 100])])[0].ToArray<double>();
        foreach (var (expected, found) in new[] { 1.0, 40, 900 }.Zip(product)) Assert.Equal(expected, found, 11);
    }

    [Fact]
    public void Layer_norm_softmax_and_gelu_differentiate_twice()
    {
        using var scope = NewDisposeScope();
        var values = Enumerable.Range(0, 6).Select(i => Math.Sin(i + 1)).ToArray();
        var direction = Enumerable.Range(0, 6).Select(i => Math.Cos(3 * i)).ToArray();

        double[] Gradient(double[] at)
        {
            var x = TensorMemory.Of<double>(at, [2, 3]).requires_grad_();
            return Gradients.Of([Loss(x)], [x])[0].ToArray<double>();
        }

        Tensor Loss(Tensor x)
        {
            var normal = nn.functional.layer_norm(x, [3], ones([3], float64) * 1.5, ones([3], float64), 1e-5);
            var tangent = x.gelu(TorchSharp.Modules.GELU.Approximate.tanh);
            return (normal.gelu().softmax(-1).log() * x).sum() + tangent.log_softmax(-1).pow(2).sum();
        }

        var leaf = TensorMemory.Of<double>(values, [2, 3]).requires_grad_();
        var gradient = Gradients.Of([Loss(leaf)], [leaf], createGraph: true)[0];
        var product = Gradients.Of([gradient], [leaf], [TensorMemory.Of<double>(direction, [2, 3])])[0].ToArray<double>();

        const double h = 1e-5;
        var plus = Gradient([.. values.Zip(direction, (v, d) => v + (h * d))]);
        var minus = Gradient([.. values.Zip(direction, (v, d) => v - (h * d))]);
        for (var i = 0; i < 6; i++) Assert.Equal((plus[i] - minus[i]) / (2 * h), product[i], 6);
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Inputs_that_take_no_part_have_zeros(bool createGraph)
    {
        using var scope = NewDisposeScope();
        var x = TensorMemory.Of<double>([1]).requires_grad_();
        var y = ones([2, 3]).requires_grad_();
        var found = Gradients.Of([x.sum()], [x, y], createGraph: createGraph);
        Assert.Equal([1.0], found[0].ToArray<double>());
        Assert.Equal([2L, 3], found[1].shape);
        Assert.Equal(new float[6], found[1].ToArray<float>());
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Outputs_that_take_no_part_add_nothing(bool createGraph)
    {
        using var scope = NewDisposeScope();
        var x = TensorMemory.Of<double>([1, 2]).requires_grad_();
        var outputs = new[] { ones([2], float64), x * x, x };
        var found = Gradients.Of(outputs, [x, x], [.. outputs.Select((_, i) => TensorMemory.Of<double>([i, 10 * i]))], createGraph: createGraph);
        Assert.Equal([4.0, 60], found[0].ToArray<double>()); // 2 x v1 + v2
        Assert.Equal([4.0, 60], found[1].ToArray<double>());
    }

    [Fact]
    public void A_kept_graph_answers_again_and_a_freed_one_says_so()
    {
        using var scope = NewDisposeScope();
        var x = TensorMemory.Of<double>([3]).requires_grad_();
        var y = x.pow(2).sum();
        for (var i = 0; i < 2; i++) Assert.Equal([6.0], Gradients.Of([y], [x], retainGraph: true)[0].ToArray<double>());
        for (var i = 0; i < 2; i++) Assert.Equal([6.0], Gradients.Of([y], [x], createGraph: true)[0].ToArray<double>());
        Assert.Equal([6.0], Gradients.Of([y], [x])[0].ToArray<double>());
        foreach (var createGraph in new[] { false, true })
        {
            var error = Assert.Throws<ExternalException>(() => Gradients.Of([y], [x], createGraph: createGraph));
            Assert.Contains("second time", error.Message, StringComparison.Ordinal);
            Assert.Null(x.grad);
        }
    }

    [Theory]
    [MemberData(nameof(Both))]
    public void Wrong_requests_are_refused_and_leave_nothing(bool createGraph)
    {
        using var scope = NewDisposeScope();
        var x = ones([2, 3]).requires_grad_();
        var loss = x.sum();
        (Tensor[] Outputs, Tensor[] Inputs, Tensor[]? Vectors)[] wrong =
        [
            ([], [x], null),
            ([loss], [], null),
            ([ones([1])], [x], null),
            ([loss], [ones([2])], null),
            ([loss], [x * 2], null),
            ([loss], [x, ones([2], ScalarType.Int64)], null),
            ([x * 2], [x], null),
            ([x * 2], [x], []),
            ([x * 2], [x], [ones([2, 3]), ones([2, 3])]),
            ([x * 2], [x], [ones([3, 2])]),
            ([x * 2], [x], [ones([2, 3], float64)]),
            ([x * 2], [x], [ones([])]),
            ([x * 2], [x], [empty([2, 3], device: new Device(DeviceType.META))]),
        ];
        foreach (var (outputs, inputs, vectors) in wrong)
        {
            var error = Assert.Throws<EngineException>(() => Gradients.Of(outputs, inputs, vectors, createGraph: createGraph));
            Assert.StartsWith("gradients: ", error.Message, StringComparison.Ordinal);
            Assert.Null(x.grad);
        }

        Assert.Equal(Enumerable.Repeat(1f, 6), Gradients.Of([loss], [x], createGraph: createGraph)[0].ToArray<float>());
        Assert.Null(x.grad);
        x.grad = ones([2, 3]);
        Assert.Throws<EngineException>(() => Gradients.Of([x.sum()], [x], createGraph: createGraph));
    }

    [Fact]
    public void A_recorded_gradient_keeps_nothing_alive() => LiveTensors.ReturnToTheirCount(() =>
    {
        TorchEngine.TrimMemory();
        var before = TensorAllocator.Heap.TakenBytes;
        for (var i = 0; i < 3; i++)
        {
            using var scope = NewDisposeScope();
            var x = ones([1 << 16]).requires_grad_();
            var gradient = Gradients.Of([x.pow(3).sum()], [x], createGraph: true);
            _ = Gradients.Of(gradient, [x], [ones([1 << 16])]);
            Assert.Throws<EngineException>(() => Gradients.Of(gradient, [x], null, createGraph: true));
            Assert.Throws<ExternalException>(() => Gradients.Of(gradient, [x], [ones([1 << 16])], createGraph: true));
        }

        // Nor do the graphs behind them.
        Assert.Equal(before, TensorAllocator.Heap.TakenBytes);
    });

    [Fact]
    public void No_grad_switches_recording_off_and_back_on()
    {
        using var scope = NewDisposeScope();
        var x = TensorMemory.Of<double>([2]).requires_grad_();
        using (no_grad()) Assert.False((x * 2).requires_grad);
        Assert.True((x * 2).requires_grad);
    }
}
