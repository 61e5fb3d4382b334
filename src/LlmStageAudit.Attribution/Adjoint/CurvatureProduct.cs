using LlmStageAudit.Attribution.Observed;
using LlmStageAudit.Modeling.Objectives;

namespace LlmStageAudit.Attribution.Adjoint;

/// <summary>
/// How the gradient of a step depends on where it is taken, as a symmetric matrix times vectors:
/// <code>
/// full           H_t, the Hessian of the mean batch loss (of a random share rho of the batch, where rho is below 1)
/// layer-wise     H_t without the blocks between different layers
/// outer-product  (1 / W) sum_i grad loss_i grad loss_i^T over the batch
/// </code>
/// </summary>
internal abstract class CurvatureProduct(string name)
{
    public string Name { get; } = name;

    /// <summary>Cost so far in full-batch gradients.</summary>
    public double GradientEquivalents { get; private protected set; }

    /// <summary>Counts on from what an earlier process had spent.</summary>
    public void Resume(double gradientEquivalents) => GradientEquivalents = gradientEquivalents;

    /// <summary>The Hessian of the mean loss of a batch, or of a share rho of it, in (0, 1].</summary>
    public static CurvatureProduct Full(double rho = 1, long seed = 0) => new HessianCurvature(rho, seed);

    public static CurvatureProduct Layerwise() => new LayerwiseCurvature();

    public static CurvatureProduct OuterProduct() => new OuterProductCurvature();

    /// <summary>The matrix at s_{t-1} times each vector, [N] each, in the current dispose scope.</summary>
    public abstract Tensor[] Products(ObservedStep step, IReadOnlyList<Tensor> vectors);

    /// <summary>Also each example's share grad loss_i . v / W of the product g . v with the batch gradient, per vector.</summary>
    public virtual (Tensor[] Products, double[][] Shares) ProductsWithShares(ObservedStep step, IReadOnlyList<Tensor> vectors)
    {
        var (program, batch) = (step.Program, step.Step.Batch);
        var totalWeight = batch.Sum(program.Objective.Weight);
        var shares = program.Objective.LossDerivatives(step.Before.Theta, batch, vectors, program.MicroBatchSize, program.Noise(step.Step));
        GradientEquivalents += GradientCost.VectorProducts(vectors.Count);
        return (Products(step, vectors), [.. shares.Select(values => Array.ConvertAll(values, value => value / totalWeight))]);
    }

    private sealed class HessianCurvature(double rho, long seed) : CurvatureProduct("full")
    {
        public override Tensor[] Products(ObservedStep step, IReadOnlyList<Tensor> vectors)
        {
            var program = step.Program;
            var batch = BatchShare.Draw(step.Step.Batch, rho, seed, "curvature", program.Name, step.Step.StageStep);
            GradientEquivalents += GradientCost.VectorProducts(vectors.Count) * batch.Length / step.Step.Batch.Length;
            return program.Objective.HessianVectorProducts(
                step.Before.Theta, batch, vectors, program.MicroBatchSize, program.Noise(step.Step));
        }

        public override (Tensor[] Products, double[][] Shares) ProductsWithShares(ObservedStep step, IReadOnlyList<Tensor> vectors)
        {
            if (rho < 1) return base.ProductsWithShares(step, vectors);
            var program = step.Program;
            GradientEquivalents += GradientCost.VectorProducts(vectors.Count);
            return program.Objective.HessianVectorProductsWithShares(
                step.Before.Theta, step.Step.Batch, vectors, program.MicroBatchSize, program.Noise(step.Step));
        }
    }

    private sealed class LayerwiseCurvature() : CurvatureProduct("layer-wise")
    {
        public override Tensor[] Products(ObservedStep step, IReadOnlyList<Tensor> vectors)
        {
            var program = step.Program;
            var layers = program.Objective.Layout.Slots.Select(slot => slot.Layer).Distinct().Count();
            GradientEquivalents += vectors.Count * GradientCost.VectorProducts(layers);
            return [.. vectors.Select(vector => program.Objective.LayerwiseHessianVectorProduct(
                step.Before.Theta, step.Step.Batch, vector, program.MicroBatchSize, program.Noise(step.Step)))];
        }
    }

    private sealed class OuterProductCurvature() : CurvatureProduct("outer-product")
    {
        public override Tensor[] Products(ObservedStep step, IReadOnlyList<Tensor> vectors)
        {
            var (program, batch, noise) = (step.Program, step.Step.Batch, step.Program.Noise(step.Step));
            var totalWeight = batch.Sum(program.Objective.Weight);
            var derivatives = program.Objective.LossDerivatives(step.Before.Theta, batch, vectors, program.MicroBatchSize, noise);
            GradientEquivalents += GradientCost.VectorProducts(vectors.Count) + vectors.Count;
            return [.. derivatives.Select(values => program.Objective.WeightedGradient(
                step.Before.Theta, batch, Array.ConvertAll(values, value => value / totalWeight), program.MicroBatchSize, noise))];
        }
    }
}
