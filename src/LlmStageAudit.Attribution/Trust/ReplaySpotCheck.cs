using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Training.Optimizers;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// At a few steps of a replay, computes the gradient the estimate stands in for: the true one at theta'. How far
/// the difference takes the counterfactual until its momentum has run out is the step's drift.
/// </summary>
internal sealed class ReplaySpotCheck(int questions, bool independent) : IReplayWitness, ISpotCheck
{
    private readonly DriftTally[] _tallies = [.. Enumerable.Range(0, questions).Select(_ => new DriftTally(independent))];

    public double GradientEquivalents { get; private set; }

    public DriftTally Of(int question) => _tallies[question];

    public void Moved(int question, ReplayStep step, OptimizerState before, Tensor gradient)
    {
        var steps = CheckPlan.StepsSpokenFor(step.Program, step.Step.StageStep);
        if (steps == 0) return;
        using var scope = NewDisposeScope();
        var truth = step.Program.Gradient(step.Step, before.Theta).Gradient;
        GradientEquivalents++;
        using var off = no_grad();
        var error = gradient - truth;
        var length = (step.ObservedTheta! - before.Theta).norm().item();
        var drift = RunOut.Distance(step.Program.Optimizer, before, gradient, truth, step.Step.LearningRate);
        var missed = DriftTally.Ratio(error.norm().item(), (step.LoggedGradient - truth).norm().item());
        _tallies[question].Add(steps, DriftTally.Ratio(drift, length), missed, length);
    }
}
