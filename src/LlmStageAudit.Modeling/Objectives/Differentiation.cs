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
            var loss = objective.Losses(leaves, part, noise).sum().over(totalWeight);
            var flat = objective.Layout.Join(Gradients.Of([loss], leaves));
            lossNats += loss.ToNumber();
            var total = gradient is null ? flat : gradient.plus(flat);
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
        StepNoise? noise = null)
    {
        Tensor? gradient = null;
        foreach (var part in Enumerable.Range(0, examples.Count).Chunk(microBatchSize ?? examples.Count))
        {
            using var scope = NewDisposeScope();
            var leaves = Leaves(objective.Layout, theta);
            var losses = objective.Losses(leaves, [.. part.Select(i => examples[i])], noise);
            var factors = TensorMemory.Of([.. part.Select(i => weights[i])]).to(objective.Dtype).to(objective.Device);
            var flat = objective.Layout.Join(Gradients.Of([(losses * factors).sum()], leaves));
            var total = gradient is null ? flat : gradient.plus(flat);
            gradient?.Dispose();
            gradient = scope.MoveToOuter(total);
        }

        return gradient!;
    }

    internal static Tensor[] Leaves(ParameterLayout layout, Tensor theta) =>
        [.. layout.Split(theta).Select(view => view.detach().requires_grad_())];
}
