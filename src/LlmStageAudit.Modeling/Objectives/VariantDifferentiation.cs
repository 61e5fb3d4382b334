namespace LlmStageAudit.Modeling.Objectives;

/// <summary>
/// Derivatives of the mean batch loss L (see <see cref="Differentiation"/>) at R parameter vectors in one pass. With
/// <code>S(theta_1, .., theta_R) = L(theta_1) + .. + L(theta_R)</code>
/// the gradient of S is the R gradients side by side, and its Hessian is block-diagonal, so that one double backward pass
/// gives the R products H(theta_r) v_r.
/// </summary>
public static class VariantDifferentiation
{
    /// <summary>The mean batch losses in nats, R of them, and their gradients [R, N].</summary>
    /// <param name="objective">One that shares its base.</param>
    /// <param name="thetas">Where: [R, N], not recorded for gradients.</param>
    /// <param name="batch">Example numbers, not empty.</param>
    /// <param name="microBatchSize">Examples of each variant per forward pass; null for the whole batch in one.</param>
    /// <param name="noise">The training step whose random numbers act.</param>
    /// <returns>The gradients belong to the caller's dispose scope.</returns>
    public static (double[] LossNats, Tensor Gradients) LossesAndGradients(
        this IVariantObjective objective, Tensor thetas, IReadOnlyList<int> batch, int? microBatchSize = null, StepNoise? noise = null)
    {
        var totalWeight = batch.Sum(objective.Weight);
        var lossNats = new double[thetas.size(0)];
        Tensor? gradients = null;
        foreach (var part in batch.Chunk(microBatchSize ?? batch.Count))
        {
            using var scope = NewDisposeScope();
            var leaves = Leaves(objective, thetas);
            var losses = objective.VariantLosses(leaves, part, noise).sum(1L).over(totalWeight); // [R]
            var derivatives = Gradients.Of([losses.sum()], leaves);
            var values = losses.to(ScalarType.Float64).ToArray<double>();
            for (var r = 0; r < lossNats.Length; r++) lossNats[r] += values[r];
            gradients = Added(scope, gradients, objective.Layout.JoinRows(derivatives));
        }

        return (lossNats, gradients!);
    }

    /// <summary>The Hessian of the mean batch loss at each of R parameter vectors times a vector each: [R, N].</summary>
    /// <param name="objective">One that shares its base.</param>
    /// <param name="thetas">Where: [R, N], not recorded for gradients.</param>
    /// <param name="batch">Example numbers, not empty.</param>
    /// <param name="vectors">[R, N]; row r meets the Hessian at row r of thetas.</param>
    /// <param name="microBatchSize">Examples of each variant per forward pass; null for the whole batch in one.</param>
    /// <param name="noise">The training step whose random numbers act.</param>
    public static Tensor HessianVectorProducts(
        this IVariantObjective objective,
        Tensor thetas,
        IReadOnlyList<int> batch,
        Tensor vectors,
        int? microBatchSize = null,
        StepNoise? noise = null)
    {
        var totalWeight = batch.Sum(objective.Weight);
        Tensor? products = null;
        foreach (var part in batch.Chunk(microBatchSize ?? batch.Count))
        {
            using var scope = NewDisposeScope();
            var leaves = Leaves(objective, thetas);
            var loss = objective.VariantLosses(leaves, part, noise).sum().over(totalWeight);
            var gradients = Gradients.Of([loss], leaves, createGraph: true);
            var slices = objective.Layout.SplitRows(vectors);
            // Parameters the loss is linear in have gradients without a graph.
            var curved = Enumerable.Range(0, gradients.Length).Where(i => gradients[i].requires_grad).ToArray();
            var derivatives = curved.Length == 0
                ? [.. leaves.Select(leaf => leaf.zeros_like())]
                : Gradients.Of([.. curved.Select(i => gradients[i])], leaves, [.. curved.Select(i => slices[i])]);
            products = Added(scope, products, objective.Layout.JoinRows(derivatives));
        }

        return products!;
    }

    private static Tensor[] Leaves(IVariantObjective objective, Tensor thetas) =>
        [.. objective.Layout.SplitRows(thetas).Select(view => view.detach().requires_grad_())];

    private static Tensor Added(DisposeScope scope, Tensor? total, Tensor part)
    {
        var sum = total is null ? part : total.plus(part);
        total?.Dispose();
        return scope.MoveToOuter(sum);
    }
}
