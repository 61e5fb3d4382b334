using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Adjoint;

/// <summary>One update of the observed run, rebuilt: valid until the walk goes on.</summary>
/// <param name="Program">The stage's.</param>
/// <param name="StageIndex">The stage's place in the run.</param>
/// <param name="Step">What was run.</param>
/// <param name="Before">s_{t-1}.</param>
/// <param name="After">s_t.</param>
/// <param name="Gradient">g_t [N], raw, as logged.</param>
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

    /// <summary>The update's Jacobian, in the current dispose scope.</summary>
    /// <param name="epsilonFloor">As <see cref="OptimizerMap.Linearize"/> takes it.</param>
    public OptimizerPropagator Propagator(double epsilonFloor) =>
        Program.Optimizer.Linearize(After, Gradient, Step.LearningRate, epsilonFloor);
}
