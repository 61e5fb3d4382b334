using LlmStageAudit.Attribution;

namespace LlmStageAudit.Auditing.Comparison;

/// <summary>
/// What a change of the parameters does to each of a set of examples, by some performance function gamma_i: all that a
/// comparison needs to know of what was trained.
/// </summary>
internal interface IExampleEffects
{
    /// <summary>gamma_i(theta_T) - gamma_i(theta'), for every counterfactual theta' [N] and every example.</summary>
    double[][] Finite(IReadOnlyList<Tensor> counterfactuals);

    /// <summary>
    /// grad gamma_i(theta_T) . d, for every change d = theta_T - theta' [N] and every example; null where gamma has no derivative.
    /// </summary>
    double[][]? FirstOrder(IReadOnlyList<Tensor> changes);

    /// <summary>The gradient of the mean of gamma_i at theta_T, [N], in the current dispose scope.</summary>
    /// <exception cref="AttributionException">gamma has no derivative.</exception>
    Tensor MeanGradient();

    /// <summary>The Hessian of the mean of gamma_i at theta_T times a vector, [N], in the current dispose scope.</summary>
    /// <exception cref="AttributionException">gamma has no derivative.</exception>
    Tensor MeanHessianProduct(Tensor vector);
}
