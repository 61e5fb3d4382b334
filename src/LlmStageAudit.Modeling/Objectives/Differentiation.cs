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
    /// <param name="noise">The training step whose random numbers act; null for none.</param>
    /// <returns>The gradient belongs to the caller's dispose scope.</returns>
    public static (double LossNats, Tensor Gradient) LossAndGradient(
        this IObjective objective, Tensor theta, IReadOnlyList<int> batch, int? microBatchSize = null, StepNoise? noise = null)
    {
        var totalWeight = batch.Sum(objective.Weight);
        var lossNats = 0.0;
        var gradient = InParts(batch, microBatchSize, part =>
        {
            var leaves = Leaves(objective.Layout.Split(theta));
            var loss = objective.Losses(leaves, part, noise).sum().over(totalWeight);
            var flat = objective.Layout.Join(Gradients.Of([loss], leaves));
            lossNats += loss.ToNumber();
            return [flat];
        })[0];
        return (lossNats, gradient);
    }

    /// <summary>The mean batch loss in nats.</summary>
    public static double Loss(this IObjective objective, Tensor theta, IReadOnlyList<int> batch)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        return objective.Losses(objective.Layout.Split(theta), batch).sum().ToNumber() / batch.Sum(objective.Weight);
    }

    /// <summary>sum_i weight_i grad loss_i(theta), [N]: losses as they are, no mean taken.</summary>
    /// <param name="objective">The losses.</param>
    /// <param name="theta">Where: [N].</param>
    /// <param name="examples">Example numbers.</param>
    /// <param name="weights">One per example.</param>
    /// <param name="microBatchSize">Examples per forward pass; null for all in one.</param>
    /// <param name="noise">The training step whose random numbers act; null for none.</param>
    public static Tensor WeightedGradient(
        this IObjective objective,
        Tensor theta,
        IReadOnlyList<int> examples,
        IReadOnlyList<double> weights,
        int? microBatchSize = null,
        StepNoise? noise = null) =>
        InParts([.. Enumerable.Range(0, examples.Count)], microBatchSize, part =>
        {
            var leaves = Leaves(objective.Layout.Split(theta));
            return [objective.Layout.Join(Gradients.Of([WeightedSum(objective, leaves, examples, weights, part, noise)], leaves))];
        })[0];

    /// <summary>sum_i weight_i loss_i over those at some places of a list of examples.</summary>
    internal static Tensor WeightedSum(
        IObjective objective,
        Tensor[] leaves,
        IReadOnlyList<int> examples,
        IReadOnlyList<double> weights,
        int[] places,
        StepNoise? noise = null)
    {
        var losses = objective.Losses(leaves, [.. places.Select(i => examples[i])], noise);
        return (losses * TensorMemory.Of([.. places.Select(i => weights[i])]).to(objective.Dtype).to(objective.Device)).sum();
    }

    internal static Tensor[] Leaves(Tensor[] views) => [.. views.Select(view => view.detach().requires_grad_())];

    /// <summary>
    /// The derivatives of sum over the given gradients of gradient . vector with respect to the inputs; the last call lets the graph go.
    /// </summary>
    internal static Tensor[] Again(
        IReadOnlyList<Tensor> gradients, IReadOnlyList<Tensor> vectors, IReadOnlyList<Tensor> inputs, bool last = true)
    {
        // Parameters the loss is linear in have gradients without a graph.
        var curved = Enumerable.Range(0, gradients.Count).Where(i => gradients[i].requires_grad).ToArray();
        return curved.Length == 0
            ? [.. inputs.Select(input => input.zeros_like())]
            : Gradients.Of([.. curved.Select(i => gradients[i])], inputs, [.. curved.Select(i => vectors[i])], retainGraph: !last);
    }

    /// <summary>Adds up what the micro-batches contribute; the sums belong to the caller's dispose scope.</summary>
    internal static Tensor[] InParts(IReadOnlyList<int> batch, int? microBatchSize, Func<int[], Tensor[]> contribution)
    {
        Tensor[]? totals = null;
        foreach (var part in batch.Chunk(microBatchSize ?? batch.Count))
        {
            using var scope = NewDisposeScope();
            var flat = contribution(part);
            var sums = totals is null ? flat : [.. flat.Zip(totals, (product, total) => total.plus(product))];
            foreach (var total in totals ?? []) total.Dispose();
            totals = [.. sums.Select(tensor => scope.MoveToOuter(tensor))];
        }

        return totals!;
    }
}
