using LlmStageAudit.Modeling.Parameters;

namespace LlmStageAudit.Modeling.Objectives;

/// <summary>
/// Derivatives of the mean batch loss
/// <code>L(theta) = sum_{i in batch} loss_i(theta) / sum_{i in batch} weight_i</code>
/// with respect to the flat parameter vector. A batch may be cut into micro-batches: their contributions add up to the same sum.
/// </summary>
public static class Differentiation
{
    /// <summary>The mean batch loss in nats and its gradient g [N].</summary>
    /// <param name="objective">The losses.</param>
    /// <param name="theta">Where: [N], not recorded for gradients.</param>
    /// <param name="batch">Example numbers, not empty.</param>
    /// <param name="microBatchSize">Examples per forward pass; null for the whole batch in one.</param>
    /// <param name="noise">The training step whose random numbers act.</param>
    /// <returns>The gradient belongs to the caller's dispose scope.</returns>
    public static (double LossNats, Tensor Gradient) LossAndGradient(
        this IObjective objective, Tensor theta, IReadOnlyList<int> batch, int? microBatchSize = null, StepNoise? noise = null)
    {
        var totalWeight = batch.Sum(objective.Weight);
        var lossNats = 0.0;
        Tensor? gradient = null;
        foreach (var part in batch.Chunk(microBatchSize ?? batch.Count))
        {
            using var scope = NewDisposeScope();
            var leaves = Leaves(objective.Layout, theta);
            var loss = objective.Losses(leaves, part, noise).sum() / totalWeight;
            var flat = objective.Layout.Join(NonNull(autograd.grad([loss], leaves, allow_unused: true), leaves));
            lossNats += loss.item();
            var total = gradient is null ? flat : gradient + flat;
            gradient?.Dispose();
            gradient = scope.MoveToOuter(total);
        }

        return (lossNats, gradient!);
    }

    /// <summary>The mean batch loss in nats.</summary>
    public static double Loss(this IObjective objective, Tensor theta, IReadOnlyList<int> batch)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        return objective.Losses(objective.Layout.Split(theta), batch).sum().item() / batch.Sum(objective.Weight);
    }

    /// <summary>
    /// The Hessian of the mean batch loss at theta times a vector, [N], by differentiating the gradient a second time
    /// (Pearlmutter 1994); nothing of size N x N is formed.
    /// </summary>
    public static Tensor HessianVectorProduct(
        this IObjective objective, Tensor theta, IReadOnlyList<int> batch, Tensor vector, int? microBatchSize = null, StepNoise? noise = null)
    {
        var totalWeight = batch.Sum(objective.Weight);
        Tensor? product = null;
        foreach (var part in batch.Chunk(microBatchSize ?? batch.Count))
        {
            using var scope = NewDisposeScope();
            var leaves = Leaves(objective.Layout, theta);
            var loss = objective.Losses(leaves, part, noise).sum() / totalWeight;
            var gradients = NonNull(autograd.grad([loss], leaves, create_graph: true, allow_unused: true), leaves);
            var slices = objective.Layout.Split(vector);
            // Parameters the loss is linear in have gradients without a graph.
            var curved = Enumerable.Range(0, gradients.Count).Where(i => gradients[i].requires_grad).ToArray();
            var products = curved.Length == 0
                ? [.. leaves.Select(leaf => leaf.zeros_like())]
                : NonNull(
                    autograd.grad([.. curved.Select(i => gradients[i])], leaves, [.. curved.Select(i => slices[i])], allow_unused: true),
                    leaves);
            var flat = objective.Layout.Join(products);
            var total = product is null ? flat : product + flat;
            product?.Dispose();
            product = scope.MoveToOuter(total);
        }

        return product!;
    }

    private static Tensor[] Leaves(ParameterLayout layout, Tensor theta) =>
        [.. layout.Split(theta).Select(view => view.detach().requires_grad_())];

    /// <summary>A parameter that takes no part in the loss has derivative zero.</summary>
    private static List<Tensor> NonNull(Tensor?[] derivatives, Tensor[] leaves) =>
        [.. derivatives.Select((derivative, i) => derivative ?? leaves[i].zeros_like())];
}
