using static LlmStageAudit.LibTorch.torch;

namespace LlmStageAudit.LibTorch.Tests;

public sealed class AutogradTests
{
    [Fact]
    public void Gradient_of_a_cubic()
    {
        using var scope = NewDisposeScope();
        var x = tensor([1.0, -2, 3]).requires_grad_();
        var gradient = autograd.grad([x.pow(3).sum()], [x])[0]!;
        Assert.Equal([3.0, 12, 27], gradient.data<double>());
    }

    [Fact]
    public void Second_derivatives_through_create_graph()
    {
        // f = sum x^4 / 12: the Hessian is diag(x^2).
        using var scope = NewDisposeScope();
        var x = tensor([1.0, -2, 3]).requires_grad_();
        var first = autograd.grad([x.pow(4).sum() / 12], [x], create_graph: true)[0]!;
        var product = autograd.grad([first], [x], [tensor([1.0, 10, 100])])[0]!;
        Assert.Equal([1.0, 40, 900], product.data<double>(), new Tolerance(1e-12));
    }

    [Fact]
    public void Layer_norm_softmax_and_gelu_differentiate_twice()
    {
        using var scope = NewDisposeScope();
        var values = Enumerable.Range(0, 6).Select(i => Math.Sin(i + 1)).ToArray();
        var direction = Enumerable.Range(0, 6).Select(i => Math.Cos(3 * i)).ToArray();

        double[] Gradient(double[] at)
        {
            var x = tensor(at, [2, 3]).requires_grad_();
            return autograd.grad([Loss(x)], [x])[0]!.data<double>();
        }

        Tensor Loss(Tensor x)
        {
            var normal = nn.functional.layer_norm(x, [3], ones([3], float64) * 1.5, ones([3], float64), 1e-5);
            return (nn.functional.gelu(normal).softmax(-1).log() * x).sum() + nn.functional.gelu(x, "tanh").log_softmax(-1).pow(2).sum();
        }

        var leaf = tensor(values, [2, 3]).requires_grad_();
        var gradient = autograd.grad([Loss(leaf)], [leaf], create_graph: true)[0]!;
        var product = autograd.grad([gradient], [leaf], [tensor(direction, [2, 3])])[0]!.data<double>();

        const double h = 1e-5;
        var plus = Gradient(values.Zip(direction, (v, d) => v + (h * d)).ToArray());
        var minus = Gradient(values.Zip(direction, (v, d) => v - (h * d)).ToArray());
        for (var i = 0; i < 6; i++) Assert.Equal((plus[i] - minus[i]) / (2 * h), product[i], 6);
    }

    [Fact]
    public void Unused_inputs_are_an_error_or_null_as_asked()
    {
        using var scope = NewDisposeScope();
        var x = tensor([1.0]).requires_grad_();
        var y = tensor([1.0]).requires_grad_();
        Assert.Null(autograd.grad([x.sum()], [x, y], allow_unused: true)[1]);
        Assert.Throws<TorchException>(() => autograd.grad([x.sum()], [x, y]));
    }

    [Fact]
    public void No_grad_switches_recording_off_and_back_on()
    {
        using var scope = NewDisposeScope();
        var x = tensor([2.0]).requires_grad_();
        using (no_grad()) Assert.False((x * 2).requires_grad);
        Assert.True((x * 2).requires_grad);
    }
}
