using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Training.Optimizers;

namespace LlmStageAudit.Attribution.Adjoint;

/// <summary>Watches perturbations being carried through a step.</summary>
internal interface IPropagationWitness
{
    /// <summary>Sees one perturbation after it was carried through a step.</summary>
    /// <param name="question">Which question, by its place among those asked.</param>
    /// <param name="step">The observed step; valid during the call.</param>
    /// <param name="before">d_{t-1}.</param>
    /// <param name="gradientChange">H_t d_{t-1}, the estimate of g_t - g'_t, [N].</param>
    /// <param name="after">P_t d_{t-1}.</param>
    void Propagated(int question, ObservedStep step, StatePerturbation before, Tensor gradientChange, StatePerturbation after);

    /// <summary>Puts what was seen so far.</summary>
    void Save(WalkState state);

    /// <summary>Takes it back.</summary>
    /// <param name="state">Where it was put.</param>
    /// <param name="like">Says the type and device of tensors of N values.</param>
    void Restore(WalkState state, Tensor like);
}
