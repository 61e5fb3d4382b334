using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Training.Optimizers;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// At a few steps of a forward propagation, makes the real step from s - d with the true gradient there. How far the
/// linear step is from it, or how far the gradient's error takes theta once momentum has run out if that is more, is the drift.
/// </summary>
internal sealed class PropagationSpotCheck(int questions) : IPropagationWitness, ISpotCheck
{
    private readonly DriftTally[] _tallies = [.. Enumerable.Range(0, questions).Select(_ => new DriftTally(independent: false))];

    public double GradientEquivalents { get; private set; }

    public DriftTally Of(int question) => _tallies[question];

    public void Propagated(int question, ObservedStep step, StatePerturbation before, Tensor gradientChange, StatePerturbation after)
    {
        var steps = CheckPlan.StepsSpokenFor(step.Program, step.Step.StageStep);
        if (steps == 0) return;
        using var scope = NewDisposeScope();
        var counterfactual = Displaced(step.Before, before);
        var truth = step.Program.Gradient(step.Step, counterfactual.Theta).Gradient;
        GradientEquivalents++;
        using var off = no_grad();
        using var moved = step.Program.Optimizer.Advance(counterfactual, truth, step.Step.LearningRate);
        var change = step.Gradient - truth;
        var missed = gradientChange - change;
        var map = (after.Theta - (step.After.Theta - moved.Theta)).norm().item();
        var estimate = step.Gradient - gradientChange;
        var drift = Math.Max(map, RunOut.Distance(step.Program.Optimizer, counterfactual, estimate, truth, step.Step.LearningRate));
        var length = before.Theta.norm().item();
        _tallies[question].Add(
            steps, DriftTally.Ratio(drift, length), DriftTally.Ratio(missed.norm().item(), change.norm().item()), length);
    }

    /// <summary>s - d; a second moment cannot fall below 0.</summary>
    private static OptimizerState Displaced(OptimizerState state, StatePerturbation by)
    {
        using var off = no_grad();
        var buffers = state.Buffers.Zip(by.Buffers, (buffer, change) => buffer - change).ToArray();
        if (buffers.Length == 2) buffers[1] = nn.functional.relu(buffers[1]);
        return new OptimizerState(state.Theta - by.Theta, buffers, Math.Max(0, state.Steps - (int)Math.Round(by.Steps)));
    }
}
