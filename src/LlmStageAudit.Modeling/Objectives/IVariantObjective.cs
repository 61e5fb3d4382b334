namespace LlmStageAudit.Modeling.Objectives;

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
