namespace LlmStageAudit.Attribution;

/// <summary>
/// What an operation costs in gradients of one batch: the unit costs are counted and budgets given in. A training of K steps
/// costs K. Measured with LoRA on transformers, where a gradient is a forward and a backward pass through the activations.
/// </summary>
public static class GradientCost
{
    /// <summary>Products of one batch's Hessian with vectors: the gradient with its graph once, then each product.</summary>
    public static double VectorProducts(int vectors) => 1 + (1.5 * vectors);
}
