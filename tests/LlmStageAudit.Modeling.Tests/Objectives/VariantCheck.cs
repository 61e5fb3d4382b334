using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Objectives;

/// <summary>What one pass says of R variants is what R passes say, variant by variant, in float64.</summary>
internal static class VariantCheck
{
    private const double Relative = 1e-11;

    /// <param name="thetas">One parameter vector per variant, far enough apart that no two could be taken for each other.</param>
    public static void OneByOne(
        IVariantObjective objective, double[][] thetas, int[] batch, int? microBatchSize = null, StepNoise? noise = null)
    {
        using var scope = NewDisposeScope();
        var at = Rows(objective, thetas);
        double[][] vectors = [.. thetas.Select((theta, r) => Vectors.Normal(theta.Length, 40 + r))];
        var directions = Rows(objective, vectors);
        var losses = objective.VariantLosses(objective.Layout.SplitRows(at), batch, noise);
        var (means, gradients) = objective.LossesAndGradients(at, batch, microBatchSize, noise);
        var products = objective.HessianVectorProducts(at, batch, directions, microBatchSize, noise);
        Assert.Equal([thetas.Length, batch.Length], losses.shape);
        Assert.Equal([thetas.Length, objective.Layout.Count], gradients.shape);
        Assert.Equal([thetas.Length, objective.Layout.Count], products.shape);

        for (var r = 0; r < thetas.Length; r++)
        {
            var (theta, direction) = (Row(at, r), Row(directions, r));
            var (mean, gradient) = objective.LossAndGradient(theta, batch, microBatchSize, noise);
            var product = objective.HessianVectorProduct(theta, batch, direction, microBatchSize, noise);
            var alone = objective.Losses(objective.Layout.Split(theta), batch, noise);
            Vectors.Close(alone.ToArray<double>(), Row(losses, r).ToArray<double>(), Relative);
            Assert.Equal(1, means[r] / mean, Relative);
            Vectors.Close(gradient.ToArray<double>(), Row(gradients, r).ToArray<double>(), Relative);
            Vectors.Close(product.ToArray<double>(), Row(products, r).ToArray<double>(), Relative);
            // Slot by slot: a small slot that is wrong would not show in the length of the whole.
            foreach (var (whole, row) in new[] { (gradient, Row(gradients, r)), (product, Row(products, r)) })
            {
                var (expected, found) = (objective.Layout.Split(whole), objective.Layout.Split(row));
                for (var slot = 0; slot < expected.Length; slot++)
                    Vectors.Close(Values(expected[slot]), Values(found[slot]), 1e-8);
            }

            for (var other = 0; other < r; other++)
                Assert.True(Vectors.RelativeDistance(gradient.ToArray<double>(), Row(gradients, other).ToArray<double>()) > 1e-3);
        }
    }

    public static double[][] Spread(Tensor initial, int count, double scale = 0.1) =>
        [.. Enumerable.Range(0, count).Select(r => Moved(initial.ToArray<double>(), Vectors.Normal(initial.numel(), 60 + r, scale)))];

    public static Tensor Rows(IObjective objective, double[][] rows) =>
        TensorMemory.Of([.. rows.SelectMany(row => row)], [rows.Length, rows[0].Length], objective.Device);

    public static Tensor Row(Tensor rows, int r) => rows.narrow(0, r, 1).reshape(-1);

    private static double[] Values(Tensor tensor) => tensor.contiguous().ToArray<double>();

    private static double[] Moved(double[] from, double[] by) => [.. from.Zip(by, (f, b) => f + b)];
}
