using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Tests;

/// <summary>A trajectory in memory and in float64, trained when it is made.</summary>
internal sealed class MemoryTrajectory : ITrajectory, IDisposable
{
    private readonly List<Tensor> _states = [];
    private readonly List<List<Tensor>> _gradients = [];

    public MemoryTrajectory(IReadOnlyList<StageProgram> programs, double[] start)
    {
        Programs = programs;
        using var scope = NewDisposeScope();
        _states.Add(scope.Detach(tensor(start)));
        foreach (var program in programs)
        {
            var gradients = new List<Tensor>();
            var (state, _) = StageTrainer.Train(
                program, program.Optimizer.Start(_states[^1]), 1, step => gradients.Add(Kept(step.Gradient)), default);
            using (state) _states.Add(Kept(state.Theta));
            _gradients.Add(gradients);
        }
    }

    public IReadOnlyList<StageProgram> Programs { get; }

    /// <summary>False hides the gradients, as a run trained without logging them does.</summary>
    public bool LogsGradients { get; init; } = true;

    public Tensor StateBefore(int stageIndex) => _states[stageIndex].clone();

    public double[] Final() => _states[^1].data<double>();

    public IStageGradients OpenGradients(int stageIndex) => new Log(_gradients[stageIndex], LogsGradients);

    /// <summary>Overwrites a logged gradient.</summary>
    public void Tamper(int stageIndex, int stageStep, double factor)
    {
        var gradient = _gradients[stageIndex][stageStep - 1];
        using var changed = gradient * factor;
        gradient.copy_(changed);
    }

    /// <summary>
    /// Trains again from the start of a stage, leaving steps out: gradients at the states it comes to, the optimizer's own map,
    /// nothing of the replay. A stage whose every step is left out is a job that never ran.
    /// </summary>
    public double[] Retrain(Func<int, ProgramStep, bool> isLeftOut)
    {
        using var scope = NewDisposeScope();
        var theta = _states[0].clone();
        for (var stage = 0; stage < Programs.Count; stage++)
        {
            var program = Programs[stage];
            var state = program.Optimizer.Start(theta);
            foreach (var step in program.Steps.Where(step => !isLeftOut(stage, step)))
            {
                var (_, gradient) = program.Objective.LossAndGradient(state.Theta, step.Batch, program.MicroBatchSize);
                var next = program.Optimizer.Advance(state, gradient, step.LearningRate);
                state.Dispose();
                state = next;
            }

            using (state) theta = state.Theta.clone();
        }

        return theta.data<double>();
    }

    public double[] RetrainWithout(int skippedStage) => Retrain((stage, _) => stage == skippedStage);

    public void Dispose()
    {
        foreach (var held in _states.Concat(_gradients.SelectMany(gradients => gradients))) held.Dispose();
    }

    private static Tensor Kept(Tensor value)
    {
        using var scope = NewDisposeScope();
        return scope.Detach(value.clone());
    }

    private sealed class Log(IReadOnlyList<Tensor> gradients, bool hasGradients) : IStageGradients
    {
        public bool HasGradients => hasGradients;

        public Tensor Gradient(ProgramStep step) => gradients[step.StageStep - 1].clone();

        public void Dispose()
        {
        }
    }
}
