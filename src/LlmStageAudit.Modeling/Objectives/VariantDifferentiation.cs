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
        var gradients = Differentiation.InParts(batch, microBatchSize, part =>
        {
            var leaves = Differentiation.Leaves(objective.Layout.SplitRows(thetas));
            var losses = objective.VariantLosses(leaves, part, noise).sum(1L).over(totalWeight); // [R]
            var derivatives = Gradients.Of([losses.sum()], leaves);
            var values = losses.to(ScalarType.Float64).ToArray<double>();
            for (var r = 0; r < lossNats.Length; r++) lossNats[r] += values[r];
            return [objective.Layout.JoinRows(derivatives)];
        })[0];
        return (lossNats, gradients);
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
        return Differentiation.InParts(batch, microBatchSize, part =>
        {
            var leaves = Differentiation.Leaves(objective.Layout.SplitRows(thetas));
            var loss = objective.VariantLosses(leaves, part, noise).sum().over(totalWeight);
            var gradients = Gradients.Of([loss], leaves, createGraph: true);
            return [objective.Layout.JoinRows(Differentiation.Again(gradients, objective.Layout.SplitRows(vectors), leaves))];
        })[0];
    }
}
