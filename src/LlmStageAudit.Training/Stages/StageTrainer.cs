using LlmStageAudit.Training.Optimizers;

namespace LlmStageAudit.Training.Stages;

/// <summary>A step that was just made.</summary>
/// <param name="Step">What was run.</param>
/// <param name="LossNats">Mean batch loss before the update.</param>
/// <param name="GradientNorm">Length of the raw gradient.</param>
/// <param name="Gradient">The raw gradient [N]; valid during the call.</param>
public readonly record struct StepTaken(ProgramStep Step, double LossNats, double GradientNorm, Tensor Gradient);

/// <summary>Runs the steps of a stage program from a state on.</summary>
internal static class StageTrainer
{
    /// <summary>Makes the rest of a stage's steps, until they are done or training is cancelled.</summary>
    /// <param name="program">The stage.</param>
    /// <param name="state">The state before the first step to run: disposed here.</param>
    /// <param name="firstStep">1-based step to begin with.</param>
    /// <param name="observe">Called after each step.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <returns>The state after the last step made, and whether that was the stage's last.</returns>
    public static (OptimizerState State, bool Finished) Train(
        StageProgram program, OptimizerState state, int firstStep, Action<StepTaken> observe, CancellationToken cancellation)
    {
        foreach (var step in program.Steps.Skip(firstStep - 1))
        {
            if (cancellation.IsCancellationRequested) return (state, false);
            using var scope = NewDisposeScope();
            var (loss, norm, gradient) = program.Gradient(step, state.Theta);
            var next = program.Optimizer.Advance(state, gradient, step.LearningRate);
            state.Dispose();
            state = next;
            observe(new StepTaken(step, loss, norm, gradient));
        }

        return (state, true);
    }
}
