using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Objectives;

public sealed class PolynomialDerivativeTests
{
    private static readonly int[] s_batch = [4, 1, 0, 6, 2];
    private static readonly double[] s_theta = Vectors.Normal(6, seed: 1);
    private readonly PolynomialObjective _objective = PolynomialObjective.Random(7, 6, seed: 2, cubic: 0.7);

    [Fact]
    public void Values_worked_out_by_hand()
    {
        // Two examples, a = (1, 2) and (0, 3), b = 1 and 2, cubic 6: loss = r^2 / 2 + p^3 with p = a . theta, r = p - b.
        using var scope = NewDisposeScope();
        var objective = new PolynomialObjective([[1, 2], [0, 3]], [1, 2], cubic: 6);
        var theta = TensorMemory.Of([1.0, -1]); // p = -1, -3; r = -2, -5
        var (loss, gradient) = objective.LossAndGradient(theta, [0, 1]);
        Assert.Equal((2.0 - 1 + 12.5 - 27) / 2, loss, 12);
        // dloss/dp = r + 3 p^2 = 1, 22; gradient = sum a dloss/dp / 2.
        Assert.Equal([0.5, (2 + 66) / 2.0], gradient.ToArray<double>());
        // d2loss/dp2 = 1 + 6 p = -5, -17; times a a' v with v = (1, 1): a v = 3, 3.
        Assert.Equal([-7.5, (-30 - 153) / 2.0], objective.HessianVectorProduct(theta, [0, 1], TensorMemory.Of([1.0, 1])).ToArray<double>());
    }

    [Fact]
    public void Gradient_is_the_central_difference() => DerivativeCheck.Gradient(_objective, s_theta, s_batch, 1e-5, 1e-8);

    [Fact]
    public void Hessian_vector_product_is_the_central_difference_of_gradients() =>
        DerivativeCheck.HessianVectorProduct(_objective, s_theta, s_batch, 1e-5, 1e-8);

    [Fact]
    public void Hessian_is_symmetric() => DerivativeCheck.Symmetry(_objective, s_theta, s_batch);

    [Fact]
    public void Micro_batches_change_nothing() => DerivativeCheck.MicroBatches(_objective, s_theta, s_batch);

    [Fact]
    public void An_example_named_twice_counts_twice()
    {
        using var scope = NewDisposeScope();
        var theta = TensorMemory.Of(s_theta);
        var twice = _objective.LossAndGradient(theta, [1, 1, 2]).Gradient;
        var (one, two) = (_objective.LossAndGradient(theta, [1]).Gradient, _objective.LossAndGradient(theta, [2]).Gradient);
        Vectors.Close((one.times(2) + two).over(3).ToArray<double>(), twice.ToArray<double>(), 1e-14);
    }
}
