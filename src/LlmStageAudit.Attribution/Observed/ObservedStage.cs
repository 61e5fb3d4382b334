using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Observed;

/// <summary>
/// The states of one stage, rebuilt by running the optimizer map over the logged gradients: bit for bit what training
/// passed through. Backwards, every c-th state is kept from one pass and the c states between two of them are rebuilt in
/// turn, so that at c = sqrt(K) about 2 sqrt(K) states are held, whatever the number of steps K.
/// </summary>
internal sealed class ObservedStage : IDisposable
{
    /// <summary>A rebuilt stage end further off than this is not rounding.</summary>
    private const double Tolerance = 1e-4;

    private readonly ITrajectory _trajectory;
    private readonly IStageGradients _log;

    /// <summary>Opens a stage's log to walk it; the method is named where it holds no gradients.</summary>
    /// <exception cref="AttributionException">The run was trained without logging gradients.</exception>
    public ObservedStage(ITrajectory trajectory, int stageIndex, string method)
    {
        (_trajectory, StageIndex, Program) = (trajectory, stageIndex, trajectory.Programs[stageIndex]);
        _log = trajectory.OpenGradients(stageIndex);
        if (_log.HasGradients) return;
        _log.Dispose();
        throw AttributionException.NoGradients(Program.Name, method);
    }

    public int StageIndex { get; }

    public StageProgram Program { get; }

    /// <summary>The steps of some stages, one stage after the other, up to but not with the stage at `end`.</summary>
    /// <exception cref="AttributionException">As <see cref="Forwards()"/>, or a run without logged gradients.</exception>
    public static IEnumerable<ObservedStep> Forwards(ITrajectory trajectory, int first, int end, string method)
    {
        for (var stage = first; stage < end; stage++)
        {
            using var observed = new ObservedStage(trajectory, stage, method);
            foreach (var step in observed.Forwards()) yield return step;
        }
    }

    /// <summary>From the first step to the last.</summary>
    /// <exception cref="AttributionException">The log does not lead to the saved end of the stage.</exception>
    public IEnumerable<ObservedStep> Forwards()
    {
        var state = Start();
        try
        {
            foreach (var step in Program.Steps)
            {
                using var gradient = Gradient(step);
                using var before = state;
                state = Program.Optimizer.Advance(before, gradient, step.LearningRate);
                yield return new ObservedStep(Program, StageIndex, step, before, state, gradient);
            }

            CheckEnd(_trajectory, StageIndex, state.Theta);
        }
        finally
        {
            state.Dispose();
        }
    }

    /// <summary>From the last step to the first, with c steps between kept states.</summary>
    /// <exception cref="AttributionException">The log does not lead to the saved end of the stage.</exception>
    public IEnumerable<ObservedStep> Backwards(int interval)
    {
        var kept = new Stack<(int First, OptimizerState State)>();
        var rebuilt = new List<OptimizerState>();
        try
        {
            foreach (var observed in Forwards())
            {
                if ((observed.Step.StageStep - 1) % interval == 0) kept.Push((observed.Step.StageStep - 1, observed.Before.Clone()));
            }

            while (kept.TryPop(out var segment))
            {
                rebuilt.Add(segment.State);
                var steps = Program.Steps.Skip(segment.First).Take(interval).ToArray();
                foreach (var step in steps)
                {
                    using var gradient = Gradient(step);
                    rebuilt.Add(Program.Optimizer.Advance(rebuilt[^1], gradient, step.LearningRate));
                }

                for (var i = steps.Length - 1; i >= 0; i--)
                {
                    using var gradient = Gradient(steps[i]);
                    yield return new ObservedStep(Program, StageIndex, steps[i], rebuilt[i], rebuilt[i + 1], gradient);
                    rebuilt[i + 1].Dispose();
                    rebuilt.RemoveAt(i + 1);
                }

                rebuilt[0].Dispose();
                rebuilt.Clear();
            }
        }
        finally
        {
            foreach (var state in rebuilt) state.Dispose();
            foreach (var (_, state) in kept) state.Dispose();
        }
    }

    /// <summary>Compares the rebuilt parameters [N] at the end of a stage with the saved ones.</summary>
    /// <exception cref="AttributionException">They are not the same: further off than rounding.</exception>
    public static void CheckEnd(ITrajectory trajectory, int stageIndex, Tensor end)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var saved = trajectory.StateBefore(stageIndex + 1);
        var scale = saved.norm().ToNumber();
        var difference = (end - saved).norm().ToNumber() / (scale == 0 ? 1 : scale);
        if (!(difference <= Tolerance)) throw AttributionException.NotReproduced(trajectory.Programs[stageIndex].Name, difference);
    }

    public void Dispose() => _log.Dispose();

    private OptimizerState Start()
    {
        using var scope = NewDisposeScope();
        return Program.Optimizer.Start(_trajectory.StateBefore(StageIndex));
    }

    /// <summary>Belongs to no scope: a walk is suspended between steps.</summary>
    private Tensor Gradient(ProgramStep step)
    {
        using var scope = NewDisposeScope();
        return scope.Detach(_log.Gradient(step));
    }
}
