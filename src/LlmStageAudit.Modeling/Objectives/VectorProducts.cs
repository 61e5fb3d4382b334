using LlmStageAudit.Modeling.Parameters;
using static LlmStageAudit.Modeling.Objectives.Differentiation;

namespace LlmStageAudit.Modeling.Objectives;

/// <summary>
/// Second derivatives of a batch loss, and first derivatives of every single loss, times vectors; nothing of size N x N or
/// B x N is formed. Both come from differentiating the gradient once more (Pearlmutter 1994): with one factor u_i = 1 on each
/// loss, <code>d/dtheta [g(theta, u) . v] = H v    and    d/du_i [g(theta, u) . v] = grad loss_i . v / W</code>
/// so the products of all examples cost no further pass.
/// </summary>
public static class VectorProducts
{
    /// <summary>The Hessian of the mean batch loss at theta times a vector, [N].</summary>
    public static Tensor HessianVectorProduct(
        this IObjective objective,
        Tensor theta,
        IReadOnlyList<int> batch,
        Tensor vector,
        int? microBatchSize = null,
        StepNoise? noise = null) =>
        objective.HessianVectorProducts(theta, batch, [vector], microBatchSize, noise)[0];

    /// <summary>The same for several vectors, [N] each, with the loss and its gradient computed once.</summary>
    public static Tensor[] HessianVectorProducts(
        this IObjective objective,
        Tensor theta,
        IReadOnlyList<int> batch,
        IReadOnlyList<Tensor> vectors,
        int? microBatchSize = null,
        StepNoise? noise = null) =>
        Products(objective, theta, batch, vectors, ofParameters: true, ofExamples: false, microBatchSize, noise).Products;

    /// <summary>
    /// The Hessian-vector products, and each example's share of g . v: grad loss_i . v / W, which sums to g . v over the batch.
    /// </summary>
    /// <returns>Per vector a product [N], in the caller's dispose scope, and B shares in batch order.</returns>
    public static (Tensor[] Products, double[][] Shares) HessianVectorProductsWithShares(
        this IObjective objective,
        Tensor theta,
        IReadOnlyList<int> batch,
        IReadOnlyList<Tensor> vectors,
        int? microBatchSize = null,
        StepNoise? noise = null) =>
        Products(objective, theta, batch, vectors, ofParameters: true, ofExamples: true, microBatchSize, noise);

    /// <summary>
    /// The Hessian with all blocks between different layers set to zero, times a vector, [N]. A layer is what
    /// <see cref="ParameterSlot.Layer"/> says: one second differentiation each.
    /// </summary>
    public static Tensor LayerwiseHessianVectorProduct(
        this IObjective objective,
        Tensor theta,
        IReadOnlyList<int> batch,
        Tensor vector,
        int? microBatchSize = null,
        StepNoise? noise = null)
    {
        var totalWeight = batch.Sum(objective.Weight);
        var layers = Enumerable.Range(0, objective.Layout.Slots.Count)
            .GroupBy(slot => objective.Layout.Slots[slot].Layer).Select(layer => layer.ToArray()).ToArray();
        return InParts(batch, microBatchSize, part =>
        {
            var leaves = Leaves(objective.Layout.Split(theta));
            var gradients = Gradients.Of([objective.Losses(leaves, part, noise).sum().over(totalWeight)], leaves, createGraph: true);
            var slices = objective.Layout.Split(vector);
            var products = leaves.Select(leaf => leaf.zeros_like()).ToArray();
            foreach (var layer in layers)
            {
                var found = Again(Of(gradients), Of(slices), Of(leaves), last: layer == layers[^1]);
                for (var i = 0; i < layer.Length; i++) products[layer[i]] = found[i];

                Tensor[] Of(Tensor[] tensors) => [.. layer.Select(slot => tensors[slot])];
            }

            return [objective.Layout.Join(products)];
        })[0];
    }

    /// <summary>sum_i weight_i H_i(theta) v, [N], H_i the Hessian of loss_i: losses as they are, no mean taken.</summary>
    /// <param name="objective">The losses.</param>
    /// <param name="theta">Where: [N].</param>
    /// <param name="examples">Example numbers.</param>
    /// <param name="weights">One per example.</param>
    /// <param name="vector">v [N].</param>
    /// <param name="microBatchSize">Examples per forward pass; null for all in one.</param>
    public static Tensor WeightedHessianVectorProduct(
        this IObjective objective,
        Tensor theta,
        IReadOnlyList<int> examples,
        IReadOnlyList<double> weights,
        Tensor vector,
        int? microBatchSize = null) =>
        InParts([.. Enumerable.Range(0, examples.Count)], microBatchSize, part =>
        {
            var leaves = Leaves(objective.Layout.Split(theta));
            var gradients = Gradients.Of([WeightedSum(objective, leaves, examples, weights, part)], leaves, createGraph: true);
            return [objective.Layout.Join(Again(gradients, objective.Layout.Split(vector), leaves))];
        })[0];

    /// <summary>grad loss_i(theta) . v of every example and vector: the Jacobian of the losses times the vectors.</summary>
    /// <returns>Per vector one number per example.</returns>
    public static double[][] LossDerivatives(
        this IObjective objective,
        Tensor theta,
        IReadOnlyList<int> examples,
        IReadOnlyList<Tensor> vectors,
        int? microBatchSize = null,
        StepNoise? noise = null) =>
        Products(objective, theta, examples, vectors, ofParameters: false, ofExamples: true, microBatchSize, noise).Shares;

    private static (Tensor[] Products, double[][] Shares) Products(
        IObjective objective,
        Tensor theta,
        IReadOnlyList<int> batch,
        IReadOnlyList<Tensor> vectors,
        bool ofParameters,
        bool ofExamples,
        int? microBatchSize,
        StepNoise? noise)
    {
        // The losses' own derivatives are asked for without products, and are no share of a mean.
        var totalWeight = ofParameters ? batch.Sum(objective.Weight) : 1;
        var shares = vectors.Select(_ => new List<double>()).ToArray();
        var products = InParts(batch, microBatchSize, part =>
        {
            var leaves = Leaves(objective.Layout.Split(theta));
            var losses = objective.Losses(leaves, part, noise);
            var factors = ofExamples ? ones([part.Length], objective.Dtype, objective.Device).requires_grad_() : null;
            var gradients = Gradients.Of([(factors is null ? losses : losses * factors).sum().over(totalWeight)], leaves, createGraph: true);
            Tensor[] inputs = [.. ofParameters ? leaves : [], .. new[] { factors }.OfType<Tensor>()];
            var flat = new List<Tensor>();
            for (var i = 0; i < vectors.Count; i++)
            {
                var found = Again(gradients, objective.Layout.Split(vectors[i]), inputs, last: i == vectors.Count - 1);
                if (factors is not null) shares[i].AddRange(found[^1].to(float64).ToArray<double>());
                if (ofParameters) flat.Add(objective.Layout.Join(found[..leaves.Length]));
            }

            return [.. flat];
        });
        return (products, [.. shares.Select(share => share.ToArray())]);
    }
}
