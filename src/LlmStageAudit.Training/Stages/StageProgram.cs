using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Batches;
using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Schedules;

namespace LlmStageAudit.Training.Stages;

/// <summary>One step of a stage, fixed before training starts.</summary>
/// <param name="StageStep">1-based within the stage.</param>
/// <param name="Epoch">0-based.</param>
/// <param name="Batch">Example numbers of the objective.</param>
/// <param name="LearningRate">lr_t.</param>
public sealed record ProgramStep(int StageStep, int Epoch, int[] Batch, double LearningRate);

/// <summary>
/// Everything that decides a stage but its starting point: losses, batches, rates, optimizer. Training a stage and replaying
/// it counterfactually run the same program.
/// </summary>
public sealed class StageProgram
{
    private readonly long _seed;

    /// <summary>A program over given batches.</summary>
    /// <param name="section">Its settings.</param>
    /// <param name="objective">Its losses.</param>
    /// <param name="seed">Of the random numbers inside steps.</param>
    /// <param name="batches">The batches of each epoch in order.</param>
    public StageProgram(StageSection section, IObjective objective, long seed, IEnumerable<(int Epoch, int[] Batch)> batches)
    {
        (Name, Objective, MicroBatchSize, _seed) = (section.Name, objective, section.MicroBatchSize, seed);
        Optimizer = OptimizerMap.Of(section.Optimizer);
        var all = batches.ToArray();
        var rates = LearningRateSchedule.Of(section.Schedule, section.Optimizer.LearningRate, all.Length);
        Steps = [.. all.Select((step, i) => new ProgramStep(i + 1, step.Epoch, step.Batch, rates[i]))];
    }

    /// <summary>The stage's.</summary>
    public string Name { get; }

    /// <summary>Its losses, on its own examples.</summary>
    public IObjective Objective { get; }

    /// <summary>What turns a gradient into an update.</summary>
    public OptimizerMap Optimizer { get; }

    /// <summary>Examples per forward pass; null for the whole batch in one.</summary>
    public int? MicroBatchSize { get; }

    /// <summary>From the first.</summary>
    public IReadOnlyList<ProgramStep> Steps { get; }

    /// <summary>The program of a stage under the run's seed.</summary>
    public static StageProgram Of(StageSection section, IObjective objective, long seed) =>
        new(section, objective, seed, Enumerable.Range(0, section.Epochs).SelectMany(epoch =>
            BatchOrder.Epoch(seed, section.Name, epoch, objective.ExampleCount, section.BatchSize, section.Shuffle)
                .Select(batch => (epoch, batch))));

    /// <summary>Names the random numbers of a step.</summary>
    public StepNoise Noise(ProgramStep step) => new(_seed, Name, step.StageStep);

    /// <summary>The mean batch loss and its raw gradient [N] at theta, for the batch of a step.</summary>
    /// <exception cref="TrainingException">The loss or the gradient is not finite.</exception>
    public (double LossNats, double GradientNorm, Tensor Gradient) Gradient(ProgramStep step, Tensor theta)
    {
        var (loss, gradient) = Objective.LossAndGradient(theta, step.Batch, MicroBatchSize, Noise(step));
        using var length = gradient.norm();
        var norm = length.ToNumber();
        if (!double.IsFinite(loss)) throw TrainingException.NotFinite(Name, step.StageStep, "loss", loss);
        if (!double.IsFinite(norm)) throw TrainingException.NotFinite(Name, step.StageStep, "gradient norm", norm);
        return (loss, norm, gradient);
    }
}
