using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Tests;

/// <summary>
/// A trajectory in memory and in float64 that can be trained again without some of its steps, and whose logged gradients can be
/// hidden or overwritten.
/// </summary>
internal sealed class RetrainableTrajectory : ITrajectory, IDisposable
{
    private readonly MemoryTrajectory _trained;
    private readonly Dictionary<(int Stage, int StageStep), double> _factors = [];

    public RetrainableTrajectory(IReadOnlyList<StageProgram> programs, double[] start)
    {
        using var scope = NewDisposeScope();
        _trained = MemoryTrajectory.Train(programs, TensorMemory.Of(start));
    }

    public IReadOnlyList<StageProgram> Programs => _trained.Programs;

    /// <summary>False hides the gradients, as a run trained without logging them does.</summary>
    public bool LogsGradients { get; init; } = true;

    public Tensor StateBefore(int stageIndex) => _trained.StateBefore(stageIndex);

    public double[] Final()
    {
        using var final = StateBefore(Programs.Count);
        return final.ToArray<double>();
    }

    public IStageGradients OpenGradients(int stageIndex) => new Log(this, stageIndex);

    /// <summary>Multiplies a logged gradient.</summary>
    public void Tamper(int stageIndex, int stageStep, double factor) => _factors[(stageIndex, stageStep)] = factor;

    /// <summary>
    /// Trains again from the start of a stage, leaving steps out: gradients at the states it comes to, the optimizer's own map,
    /// nothing of the replay. A stage whose every step is left out is a job that never ran.
    /// </summary>
    public double[] Retrain(Func<int, ProgramStep, bool> isLeftOut)
    {
        using var scope = NewDisposeScope();
        var theta = StateBefore(0);
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

        return theta.ToArray<double>();
    }

    public double[] RetrainWithout(int skippedStage) => Retrain((stage, _) => stage == skippedStage);

    public void Dispose() => _trained.Dispose();

    private sealed class Log(RetrainableTrajectory trajectory, int stage) : IStageGradients
    {
        private readonly IStageGradients _kept = trajectory._trained.OpenGradients(stage);

        public bool HasGradients => trajectory.LogsGradients;

        public Tensor Gradient(ProgramStep step)
        {
            var gradient = _kept.Gradient(step);
            return trajectory._factors.TryGetValue((stage, step.StageStep), out var factor) ? gradient.times(factor) : gradient;
        }

        public void Dispose() => _kept.Dispose();
    }
}
