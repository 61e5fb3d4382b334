using LlmStageAudit.Attribution;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>
/// The ground truth: the run trained again without what a counterfactual leaves out. SGD is written out here, so that neither the
/// replay nor the optimizer of the training room can agree with itself.
/// </summary>
internal static class PlainRetraining
{
    /// <summary>The final parameters [N], in the current dispose scope.</summary>
    public static Tensor Train(ITrajectory trajectory, Counterfactual without)
    {
        using var scope = NewDisposeScope();
        var (momentum, weightDecay) = (DigitRun.Optimizer.Momentum, DigitRun.Optimizer.WeightDecay);
        var theta = trajectory.StateBefore(0);
        foreach (var (program, stage) in trajectory.Programs.Select(static (program, stage) => (program, stage)))
        {
            var velocity = theta.zeros_like();
            foreach (var step in program.Steps.Where(step => !without.SkipsStep(stage, step.StageStep)))
            {
                using var inner = NewDisposeScope();
                var gradient = program.Objective.LossAndGradient(theta, step.Batch).Gradient;
                var nextVelocity = velocity.times(momentum) + gradient + theta.times(weightDecay);
                var nextTheta = theta - nextVelocity.times(step.LearningRate);
                velocity.Dispose();
                theta.Dispose();
                (velocity, theta) = (inner.MoveToOuter(nextVelocity), inner.MoveToOuter(nextTheta));
            }
        }

        return scope.MoveToOuter(theta);
    }
}
