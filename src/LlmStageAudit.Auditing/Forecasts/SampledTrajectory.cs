using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>
/// A run that was never trained: its log gives one small gradient for every step, so that walking it takes what walking a trained one
/// takes. Every stage starts where the run starts. For measuring, not for answers.
/// </summary>
internal sealed class SampledTrajectory : ITrajectory, IDisposable
{
    private readonly Tensor _start;
    private readonly Tensor _gradient;
    private readonly Tensor _end;

    /// <summary>Advances the last stage to an end state, so that there is one.</summary>
    /// <param name="programs">At least one.</param>
    /// <param name="start">The parameters before each stage [N]; stays the caller's.</param>
    public SampledTrajectory(IReadOnlyList<StageProgram> programs, Tensor start)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        Programs = programs;
        _start = start;
        var program = programs[^1];
        _gradient = scope.Detach(start.zeros_like().plus(1e-6));
        var state = program.Optimizer.Start(start);
        foreach (var step in program.Steps)
        {
            var next = program.Optimizer.Advance(state, _gradient, step.LearningRate);
            state.Dispose();
            state = next;
        }

        using (state) _end = scope.Detach(state.Theta.clone());
    }

    public IReadOnlyList<StageProgram> Programs { get; }

    public Tensor StateBefore(int stageIndex) => (stageIndex < Programs.Count ? _start : _end).clone();

    public IStageGradients OpenGradients(int stageIndex) => new SameGradient(_gradient);

    public void Dispose()
    {
        _gradient.Dispose();
        _end.Dispose();
    }

    private sealed class SameGradient(Tensor gradient) : IStageGradients
    {
        public bool HasGradients => true;

        public Tensor Gradient(ProgramStep step) => gradient.clone();

        public void Dispose()
        {
        }
    }
}
