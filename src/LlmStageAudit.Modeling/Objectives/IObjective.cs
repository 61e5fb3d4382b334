using LlmStageAudit.Modeling.Parameters;

namespace LlmStageAudit.Modeling.Objectives;

/// <summary>
/// All that training and attribution know of a model: the losses of numbered examples as a differentiable function of the
/// trainable parameters. The loss of a batch is the sum of its examples' losses divided by the sum of their weights, so it
/// does not depend on how the batch is cut into forward passes.
/// </summary>
public interface IObjective
{
    /// <summary>How the trainable parameters lie in the flat vector [N].</summary>
    ParameterLayout Layout { get; }

    /// <summary>The dtype of states and gradients: float32, or float64 where identities are checked.</summary>
    ScalarType Dtype { get; }

    /// <summary>Where states have to be, and where losses come out.</summary>
    Device Device { get; }

    /// <summary>How many examples there are; they are numbered from 0.</summary>
    int ExampleCount { get; }

    /// <summary>Losses in nats, [B], differentiable at least twice in the parameters.</summary>
    /// <param name="parameters">One tensor per slot of the layout.</param>
    /// <param name="examples">B example numbers, each from 0 to ExampleCount - 1.</param>
    /// <param name="noise">The training step whose random numbers act; null where nothing is random, as in evaluation.</param>
    Tensor Losses(IReadOnlyList<Tensor> parameters, IReadOnlyList<int> examples, StepNoise? noise = null);

    /// <summary>What an example counts in the batch mean: 1, or its predicted tokens for a causal language model.</summary>
    double Weight(int example);
}

/// <summary>
/// An objective that evaluates several parameter vectors (variants) on the same examples in one forward pass, so that what
/// does not depend on the parameters is computed for all of them together.
/// </summary>
public interface IVariantObjective : IObjective
{
    /// <summary>
    /// Whether variants have anything in common; false where every weight trains. <see cref="VariantLosses"/> is then not to be
    /// called.
    /// </summary>
    bool SharesBase { get; }

    /// <summary>
    /// How many variants one pass over these examples should carry to be faster than a pass for each: at least 1, which says that
    /// none should be put together.
    /// </summary>
    /// <param name="examples">Of one step.</param>
    /// <param name="microBatchSize">Examples of each variant per forward pass; null for all.</param>
    /// <param name="derivative">1 for gradients, 2 for Hessian-vector products, which hold more at a time.</param>
    int VariantsThatPay(IReadOnlyList<int> examples, int? microBatchSize, int derivative);

    /// <summary>
    /// Losses in nats, [R, B]: row r is, up to rounding, <see cref="IObjective.Losses"/> of variant r alone, random numbers
    /// included, and depends on no other variant.
    /// </summary>
    /// <param name="parameters">One tensor per slot of the layout, with a leading dimension R.</param>
    /// <param name="examples">B example numbers.</param>
    /// <param name="noise">The training step whose random numbers act, the same ones on every variant.</param>
    Tensor VariantLosses(IReadOnlyList<Tensor> parameters, IReadOnlyList<int> examples, StepNoise? noise = null);
}

/// <summary>
/// Names the random numbers of one training step (dropout masks): whoever computes that step's gradient again, with other
/// parameters or in other micro-batches, draws the same ones.
/// </summary>
/// <param name="Seed">The run's.</param>
/// <param name="Stage">The stage's name.</param>
/// <param name="StageStep">1-based within the stage.</param>
public readonly record struct StepNoise(long Seed, string Stage, int StageStep);
