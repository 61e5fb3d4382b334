using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Training.Optimizers;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// At a few steps of a replay, computes the gradient the estimate stands in for: the true one at theta'. Where
/// the difference takes the counterfactual until its momentum has run out is the step's drift.
/// </summary>
internal sealed class ReplaySpotCheck(CheckPlan plan, int questions, bool independent) : IReplayWitness, ISpotCheck
{
    private readonly DriftTallies _tallies = new(questions, independent);

    public double GradientEquivalents => _tallies.GradientEquivalents;

    public DriftTally Of(int question) => _tallies[question];

    public void Moved(int question, ReplayStep step, OptimizerState before, Tensor gradient)
    {
        var (program, made) = (step.Program, step.Step);
        var steps = plan.StepsSpokenFor(question, program, made.StageStep);
        if (steps == 0) return;
        using var scope = NewDisposeScope();
        var truth = program.Gradient(made, before.Theta).Gradient;
        _tallies.GradientEquivalents++;
        using var off = no_grad();
        using var wrong = program.Optimizer.Advance(before, gradient, made.LearningRate);
        using var right = program.Optimizer.Advance(before, truth, made.LearningRate);
        var drift = ErrorPropagation.Drift(program, made.StageStep, wrong, right, truth);
        var missed = DriftTally.Ratio((gradient - truth).norm().ToNumber(), (step.LoggedGradient - truth).norm().ToNumber());
        _tallies[question].Add(steps, drift, missed, (step.ObservedTheta! - before.Theta).norm().ToNumber());
    }

    public void Save(WalkState state) => _tallies.Save(state);

    public void Restore(WalkState state, Tensor like) => _tallies.Restore(state, like);

    public void Dispose() => _tallies.Dispose();
}
