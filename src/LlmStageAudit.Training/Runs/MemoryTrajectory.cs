using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Runs;

/// <summary>
/// A run that lives in memory: stages on any objectives, trained one after the other, with the state before each stage and the raw
/// gradient of every step kept. Takes (stages + 1 + steps) N numbers, in the dtype and on the device of the start.
/// </summary>
public sealed class MemoryTrajectory : ITrajectory, IDisposable
{
    private readonly List<Tensor> _states = [];
    private readonly List<List<Tensor>> _gradients = [];

    private MemoryTrajectory(IReadOnlyList<StageProgram> programs) => Programs = programs;

    /// <inheritdoc/>
    public IReadOnlyList<StageProgram> Programs { get; }

    /// <summary>Trains the stages in order, each from the parameters the one before ended with and with fresh optimizer buffers.</summary>
    /// <param name="programs">The stages; their objectives share one layout.</param>
    /// <param name="start">theta_0 [N], copied.</param>
    /// <param name="observe">Called after each step with the stage's place and the step.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="ArgumentException">The start is not of an objective's length, dtype or device.</exception>
    /// <exception cref="TrainingException">A loss or a gradient is not finite.</exception>
    /// <exception cref="OperationCanceledException">Training was cancelled; nothing is kept.</exception>
    public static MemoryTrajectory Train(
        IReadOnlyList<StageProgram> programs,
        Tensor start,
        Action<int, StepTaken>? observe = null,
        CancellationToken cancellation = default)
    {
        foreach (var program in programs) CheckFits(program, start);
        var trajectory = new MemoryTrajectory(programs);
        try
        {
            trajectory._states.Add(Kept(start));
            for (var stage = 0; stage < programs.Count; stage++) trajectory.TrainStage(stage, observe, cancellation);
            return trajectory;
        }
        catch
        {
            trajectory.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Tensor StateBefore(int stageIndex) => _states[stageIndex].clone();

    /// <inheritdoc/>
    public IStageGradients OpenGradients(int stageIndex) => new Log(_gradients[stageIndex]);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var held in _states.Concat(_gradients.SelectMany(gradients => gradients))) held.Dispose();
    }

    private static void CheckFits(StageProgram program, Tensor start)
    {
        var objective = program.Objective;
        var sameShape = start.dim() == 1 && start.numel() == objective.Layout.Count;
        if (sameShape && start.dtype == objective.Dtype && start.device.IsSameAs(objective.Device)) return;
        throw new ArgumentException(
            $"stage '{program.Name}': the start is {start.dtype} [{string.Join(", ", start.shape)}] on {start.device}; "
                + $"expected {objective.Dtype} [{objective.Layout.Count}] on {objective.Device}, as its objective has it",
            nameof(start));
    }

    /// <summary>A copy that no dispose scope owns.</summary>
    private static Tensor Kept(Tensor value)
    {
        using var scope = NewDisposeScope();
        return scope.Detach(value.clone());
    }

    private void TrainStage(int stage, Action<int, StepTaken>? observe, CancellationToken cancellation)
    {
        var program = Programs[stage];
        var gradients = new List<Tensor>();
        _gradients.Add(gradients);
        var (state, finished) = StageTrainer.Train(
            program,
            program.Optimizer.Start(_states[stage]),
            firstStep: 1,
            step =>
            {
                gradients.Add(Kept(step.Gradient));
                observe?.Invoke(stage, step);
            },
            cancellation);
        using (state)
        {
            if (!finished) throw new OperationCanceledException(cancellation);
            _states.Add(Kept(state.Theta));
        }
    }

    private sealed class Log(IReadOnlyList<Tensor> gradients) : IStageGradients
    {
        public bool HasGradients => true;

        public Tensor Gradient(ProgramStep step) => gradients[step.StageStep - 1].clone();

        public void Dispose()
        {
        }
    }
}
