using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Objectives;

/// <summary>The identities any objective's derivatives obey, checked in float64 at a given point.</summary>
internal static class DerivativeCheck
{
    public static void Gradient(IObjective objective, double[] theta, int[] batch, double step, double relative)
    {
        using var scope = NewDisposeScope();
        var gradient = objective.LossAndGradient(On(objective, theta), batch).Gradient.ToArray<double>();
        for (var seed = 0; seed < 5; seed++)
        {
            var direction = Vectors.Normal(theta.Length, seed);
            var slope = (LossAt(objective, theta, direction, step, batch) - LossAt(objective, theta, direction, -step, batch)) / (2 * step);
            var product = gradient.Zip(direction, (g, d) => g * d).Sum();
            Assert.True(Math.Abs(slope - product) <= relative * Math.Abs(slope), $"slope {slope:g12}, <g, d> {product:g12}");
        }
    }

    public static void HessianVectorProduct(IObjective objective, double[] theta, int[] batch, double step, double relative)
    {
        using var scope = NewDisposeScope();
        var direction = Vectors.Normal(theta.Length, seed: 7);
        double[] GradientAt(double h) =>
            objective.LossAndGradient(On(objective, Moved(theta, direction, h)), batch).Gradient.ToArray<double>();
        var difference = GradientAt(step).Zip(GradientAt(-step), (plus, minus) => (plus - minus) / (2 * step)).ToArray();
        var product = objective.HessianVectorProduct(On(objective, theta), batch, On(objective, direction));
        Vectors.Close(difference, product.ToArray<double>(), relative);
    }

    /// <summary>Relative difference of &lt;u, Hv> and &lt;Hu, v>.</summary>
    public static void Symmetry(IObjective objective, double[] theta, int[] batch)
    {
        using var scope = NewDisposeScope();
        var at = On(objective, theta);
        var (u, v) = (On(objective, Vectors.Normal(theta.Length, 8)), On(objective, Vectors.Normal(theta.Length, 9)));
        var left = u.dot(objective.HessianVectorProduct(at, batch, v)).ToNumber();
        var right = objective.HessianVectorProduct(at, batch, u).dot(v).ToNumber();
        Assert.NotEqual(0, left);
        Assert.Equal(1, right / left, 1e-10);
    }

    public static void MicroBatches(IObjective objective, double[] theta, int[] batch)
    {
        using var scope = NewDisposeScope();
        var at = On(objective, theta);
        var direction = On(objective, Vectors.Normal(theta.Length, 10));
        var (loss, gradient) = objective.LossAndGradient(at, batch);
        var product = objective.HessianVectorProduct(at, batch, direction);
        Assert.Equal(1, objective.Loss(at, batch) / loss, 1e-12);
        foreach (var size in new[] { 1, 2, 3, batch.Length, batch.Length + 1 })
        {
            var (partLoss, partGradient) = objective.LossAndGradient(at, batch, size);
            Assert.Equal(1, partLoss / loss, 1e-12);
            Vectors.Close(gradient.ToArray<double>(), partGradient.ToArray<double>(), 1e-12);
            Vectors.Close(product.ToArray<double>(), objective.HessianVectorProduct(at, batch, direction, size).ToArray<double>(), 1e-12);
        }
    }

    private static double LossAt(IObjective objective, double[] theta, double[] direction, double step, int[] batch) =>
        objective.Loss(On(objective, Moved(theta, direction, step)), batch);

    private static Tensor On(IObjective objective, double[] values) => TensorMemory.Of(values, objective.Device);

    private static double[] Moved(double[] theta, double[] direction, double step) => [.. theta.Zip(direction, (t, d) => t + (step * d))];
}
