using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Estimates;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>
/// The memory of exact attribution, found by going through it in small: a few stages of a short and the longest batch, replayed without
/// each, and the probe run on the outcome.
/// </summary>
/// <param name="PeakBytes">The most that was resident.</param>
/// <param name="Stages">How many stages were gone through.</param>
internal sealed record ReplayMeasurement(long PeakBytes, int Stages)
{
    private const int MostStages = 4;

    /// <summary>Replays in small and reads the peak.</summary>
    /// <param name="stages">Of the run.</param>
    /// <param name="configuration">Of the run.</param>
    /// <param name="start">Parameters [N].</param>
    /// <param name="probe">What is run before and after.</param>
    /// <param name="cancellation">Checked between steps.</param>
    public static ReplayMeasurement Run(
        IReadOnlyList<StageWork> stages,
        RunConfiguration configuration,
        Tensor start,
        ProbeMeasurement probe,
        CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var small = stages.TakeLast(MostStages).Select(stage =>
        {
            var (largest, typical) = WorkCost.Choose(stage.StepTokens, 1);
            int[] chosen = [.. typical.Append(largest).Distinct()];
            return new StageProgram(
                stage.Section, stage.Program.Objective, configuration.Seed,
                chosen.Select(i => (stage.Program.Steps[i].Epoch, stage.Program.Steps[i].Batch)));
        }).ToArray();
        using var trajectory = new SampledTrajectory(small, start);
        ProcessMemory.RestartPeak();
        probe.RunLongest(trajectory.StateBefore(0));
        var thetas = new CounterfactualReplay(trajectory, CounterfactualGradients.From(new GradientSource.Exact(), 0)).Run(
            [.. small.Select((program, stage) => Counterfactual.WithoutStage(program.Name, stage))], null, cancellation);
        Tensor[] changes;
        using (no_grad())
        {
            var final = trajectory.StateBefore(small.Length);
            changes = [.. thetas.Select(theta => final - theta)];
        }

        probe.RunLinearity(trajectory.StateBefore(small.Length), changes);
        foreach (var theta in thetas) probe.RunLongest(theta);
        return new ReplayMeasurement(ProcessMemory.PeakBytes, small.Length);
    }
}
