using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Training.Optimizers;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// At a few steps of a forward propagation, makes the real step from s - d with the true gradient there. Where the linear
/// step is off from it, and where that takes theta until momentum has run out, is the drift.
/// </summary>
internal sealed class PropagationSpotCheck(CheckPlan plan, int questions) : IPropagationWitness, ISpotCheck
{
    /// <summary>
    /// The least a second moment is taken to be, as a share of the observed one. Carried on linearly it may fall below 0, where no
    /// real one goes.
    /// </summary>
    private const double LeastSecondMoment = 0.25;

    private readonly DriftTallies _tallies = new(questions, independent: false);

    public double GradientEquivalents => _tallies.GradientEquivalents;

    public DriftTally Of(int question) => _tallies[question];

    public void Propagated(int question, ObservedStep step, StatePerturbation before, Tensor gradientChange, StatePerturbation after)
    {
        var (program, made) = (step.Program, step.Step);
        var steps = plan.StepsSpokenFor(question, program, made.StageStep);
        if (steps == 0) return;
        using var scope = NewDisposeScope();
        var counterfactual = Displaced(step.Before, before);
        var truth = program.Gradient(made, counterfactual.Theta).Gradient;
        _tallies.GradientEquivalents++;
        using var off = no_grad();
        using var right = program.Optimizer.Advance(counterfactual, truth, made.LearningRate);
        var drift = ErrorPropagation.Drift(program, made.StageStep, Displaced(step.After, after), right, truth);
        var change = step.Gradient - truth;
        var missed = DriftTally.Ratio((gradientChange - change).norm().ToNumber(), change.norm().ToNumber());
        _tallies[question].Add(steps, drift, missed, before.Theta.norm().ToNumber());
    }

    public void Save(WalkState state) => _tallies.Save(state);

    public void Restore(WalkState state, Tensor like) => _tallies.Restore(state, like);

    public void Dispose() => _tallies.Dispose();

    /// <summary>s - d, in the current dispose scope.</summary>
    private static OptimizerState Displaced(OptimizerState state, StatePerturbation by)
    {
        using var off = no_grad();
        var buffers = state.Buffers.Zip(by.Buffers, (buffer, change) => buffer - change).ToArray();
        if (buffers.Length == 2)
        {
            var least = state.Buffers[1].times(LeastSecondMoment);
            buffers[1] = least.plus(nn.functional.relu(buffers[1] - least));
        }

        return new OptimizerState(state.Theta - by.Theta, buffers, Math.Max(0, state.Steps - (int)Math.Round(by.Steps)));
    }
}
