using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Observed;

/// <summary>One update of the observed run, rebuilt: s_{t-1}, s_t and g_t [N], raw, as logged; valid until the walk goes on.</summary>
internal sealed record ObservedStep(
    StageProgram Program, int StageIndex, ProgramStep Step, OptimizerState Before, OptimizerState After, Tensor Gradient)
{
    /// <summary>s_t - s_{t-1}, in the current dispose scope.</summary>
    public StatePerturbation Change()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        return new StatePerturbation(
            scope.MoveToOuter(After.Theta - Before.Theta),
            [.. After.Buffers.Zip(Before.Buffers, (after, before) => scope.MoveToOuter(after - before))],
            After.Steps - Before.Steps);
    }

    /// <summary>The update's Jacobian, as <see cref="OptimizerMap.Linearize"/> takes it, in the current dispose scope.</summary>
    public OptimizerPropagator Propagator(double epsilonFloor) =>
        Program.Optimizer.Linearize(After, Gradient, Step.LearningRate, epsilonFloor);
}
