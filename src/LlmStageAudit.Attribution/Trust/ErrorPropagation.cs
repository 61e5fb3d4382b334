using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// Where a wrong step takes theta in the end: from the state it leads to, and from the one it should have led to, the optimizer
/// goes on with the true gradient until the momentum of the step has run out, or the job with it. The real map is used,
/// since AdamW's steps are bounded where its tangent is not. With SGD, a gradient wrong by e, n steps at one rate and no decay,
/// it is <c>- lr (1 - mu^n) / (1 - mu) e</c>.
/// </summary>
internal static class ErrorPropagation
{
    /// <summary>After so many steps a momentum of 0.9 has handed on 0.9 of what it will.</summary>
    private const int Steps = 20;

    /// <summary>wrong theta - right theta [N], in the current dispose scope.</summary>
    /// <param name="program">The stage's.</param>
    /// <param name="stageStep">The step that was made.</param>
    /// <param name="wrong">The state after it; stays the caller's, as the right one does.</param>
    /// <param name="right">The state it should have led to.</param>
    /// <param name="gradient">The true gradient [N].</param>
    public static Tensor Drift(StageProgram program, int stageStep, OptimizerState wrong, OptimizerState right, Tensor gradient)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var wrongEnd = End(wrong);
        using var rightEnd = End(right);
        return scope.MoveToOuter(wrongEnd.Theta - rightEnd.Theta);

        OptimizerState End(OptimizerState state)
        {
            var at = state.Clone();
            foreach (var step in program.Steps.Skip(stageStep).Take(Steps - 1))
            {
                var next = program.Optimizer.Advance(at, gradient, step.LearningRate);
                at.Dispose();
                at = next;
            }

            return at;
        }
    }
}
