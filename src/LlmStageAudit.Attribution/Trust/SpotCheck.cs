using LlmStageAudit.Attribution.Observed;
using LlmStageAudit.Attribution.Resuming;
using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// At a few steps of a replay or a propagation, makes the real step from where the counterfactual is, with the true gradient there.
/// Where the estimated step is off from it, and where that takes theta until momentum has run out, is the step's drift.
/// </summary>
internal sealed class SpotCheck(CheckPlan plan, int questions, bool independent) : IDisposable
{
    /// <summary>
    /// The least a second moment is taken to be, as a share of the observed one. Carried on linearly it may fall below 0, where no
    /// real one goes.
    /// </summary>
    private const double LeastSecondMoment = 0.25;

    /// <summary>After so many steps a momentum of 0.9 has handed on 0.9 of what it will.</summary>
    private const int DriftSteps = 20;

    private readonly DriftTally[] _tallies =
        [.. Enumerable.Range(0, questions).Select(i => new DriftTally(independent, plan.MovingSteps(i)))];

    /// <summary>Cost so far in full-batch gradients.</summary>
    public double GradientEquivalents { get; private set; }

    /// <summary>What was found for a question, by its place among those asked; the check's own.</summary>
    public DriftTally Of(int question) => _tallies[question];

    /// <summary>Sees a counterfactual s'_{t-1} that a replay moves by an estimate of its gradient [N].</summary>
    public void Moved(int question, ReplayStep step, OptimizerState before, Tensor gradient)
    {
        var (program, made) = (step.Program, step.Step);
        if (plan.Of(question, program, made.StageStep) is not { } weight) return;
        using var scope = NewDisposeScope();
        var truth = Truth(program, made, before);
        using var off = no_grad();
        using var wrong = program.Optimizer.Advance(before, gradient, made.LearningRate);
        using var right = program.Optimizer.Advance(before, truth, made.LearningRate);
        var drift = Drift(program, made.StageStep, wrong, right, truth);
        var mismatch = Ratio(gradient - truth, step.LoggedGradient - truth);
        _tallies[question].Add(weight, drift, mismatch, Length(step.ObservedTheta! - before.Theta));
    }

    /// <summary>Sees d_{t-1} carried through a step to P_t d_{t-1}, by H_t d_{t-1}, the estimate of g_t - g'_t [N].</summary>
    public void Propagated(int question, ObservedStep step, StatePerturbation before, Tensor gradientChange, StatePerturbation after)
    {
        var (program, made) = (step.Program, step.Step);
        if (plan.Of(question, program, made.StageStep) is not { } weight) return;
        using var scope = NewDisposeScope();
        var counterfactual = Displaced(step.Before, before);
        var truth = Truth(program, made, counterfactual);
        using var off = no_grad();
        using var right = program.Optimizer.Advance(counterfactual, truth, made.LearningRate);
        var drift = Drift(program, made.StageStep, Displaced(step.After, after), right, truth);
        var change = step.Gradient - truth;
        _tallies[question].Add(weight, drift, Ratio(gradientChange - change, change), Length(before.Theta));
    }

    public void Save(WalkState state)
    {
        state.Put("checks.gradients", [GradientEquivalents]);
        foreach (var (i, tally) in _tallies.Index()) tally.Save(state, $"checks.{i}");
    }

    /// <summary>Takes back what was put; errors [N] of the type and on the device of <paramref name="like"/>.</summary>
    public void Restore(WalkState state, Tensor like)
    {
        GradientEquivalents = state.Number("checks.gradients");
        foreach (var (i, tally) in _tallies.Index()) tally.Restore(state, $"checks.{i}", like);
    }

    public void Dispose()
    {
        foreach (var tally in _tallies) tally.Dispose();
    }

    private Tensor Truth(StageProgram program, ProgramStep made, OptimizerState counterfactual)
    {
        GradientEquivalents++;
        return program.Gradient(made, counterfactual.Theta).Gradient;
    }

    /// <summary>
    /// Where a wrong step takes theta in the end: from the state it leads to, and from the one it should have led to, the optimizer
    /// goes on with the true gradient until the momentum of the step has run out, or the job with it. The real map is used,
    /// since AdamW's steps are bounded where its tangent is not. With SGD, a gradient wrong by e, n steps at one rate and no decay,
    /// it is <c>- lr (1 - mu^n) / (1 - mu) e</c>.
    /// </summary>
    /// <returns>wrong theta - right theta [N], in the current dispose scope.</returns>
    internal static Tensor Drift(StageProgram program, int stageStep, OptimizerState wrong, OptimizerState right, Tensor truth)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var wrongEnd = End(wrong);
        using var rightEnd = End(right);
        return scope.MoveToOuter(wrongEnd.Theta - rightEnd.Theta);

        OptimizerState End(OptimizerState state)
        {
            var at = state.Clone();
            foreach (var step in program.Steps.Skip(stageStep).Take(DriftSteps - 1))
            {
                var next = program.Optimizer.Advance(at, truth, step.LearningRate);
                at.Dispose();
                at = next;
            }

            return at;
        }
    }

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

    private static double Ratio(Tensor part, Tensor whole) => DriftTally.Ratio(Length(part), Length(whole));

    private static double Length(Tensor vector) => vector.norm().ToNumber();
}
