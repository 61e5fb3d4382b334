using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Training.Optimizers;

namespace LlmStageAudit.Attribution.Replay;

/// <summary>Watches counterfactuals being moved by estimated gradients.</summary>
internal interface IReplayWitness
{
    /// <summary>Sees one counterfactual before it is moved.</summary>
    /// <param name="question">Which counterfactual, by its place among those asked for.</param>
    /// <param name="step">The observed step; its tensors are valid during the call.</param>
    /// <param name="before">s'_{t-1}.</param>
    /// <param name="gradient">The estimate of the counterfactual gradient [N].</param>
    void Moved(int question, ReplayStep step, OptimizerState before, Tensor gradient);

    /// <summary>Puts what was seen so far.</summary>
    void Save(WalkState state);

    /// <summary>Takes it back.</summary>
    /// <param name="state">Where it was put.</param>
    /// <param name="like">Says the type and device of tensors of N values.</param>
    void Restore(WalkState state, Tensor like);
}
