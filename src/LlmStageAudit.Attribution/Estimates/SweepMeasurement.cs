using System.Diagnostics;
using LlmStageAudit.Artifacts.Configuration;
using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Training.Estimates;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Attribution.Estimates;

/// <summary>What steps of a backward sweep cost, found by sweeping over some of a run's batches.</summary>
/// <param name="Step">The transposed update and the Hessian-vector product of a step.</param>
/// <param name="WarmUpSeconds">What the first took beyond its share.</param>
/// <param name="PeakBytes">The most that was resident, at the longest batch.</param>
/// <param name="States">Optimizer states and waiting adjoints held then.</param>
/// <param name="Steps">How many steps were swept.</param>
internal sealed record SweepMeasurement(WorkCost Step, double WarmUpSeconds, long PeakBytes, int States, int Steps)
{
    private const int TypicalSteps = 5;
    private const int MostRounds = 3;

    /// <param name="stages">Stages of one kind.</param>
    /// <param name="start">Parameters [N].</param>
    /// <param name="gradient">What a step's gradient takes, to choose how many steps there is time for.</param>
    /// <param name="seconds">About how long it may take.</param>
    public static SweepMeasurement Run(
        IReadOnlyList<StageWork> stages,
        RunConfiguration configuration,
        Tensor start,
        WorkCost gradient,
        double seconds,
        CancellationToken cancellation)
    {
        var stage = stages.MaxBy(one => one.StepTokens.Max())!;
        var (largest, typical) = WorkCost.Choose(stage.StepTokens, TypicalSteps);
        var affordable =
            seconds / Math.Max(1e-6, GradientCost.VectorProducts(1) * typical.Average(i => gradient.Seconds(stage.StepTokens[i])));
        // Walked from the end, where a short one takes the time of the beginning; then from short to long, as a heap grows the most.
        int[] rising = [.. typical.Take(Math.Clamp((int)(affordable / 2) - 2, 2, TypicalSteps)).OrderBy(i => stage.StepTokens[i])];
        int[] chosen = [largest, .. rising.Reverse(), rising[0]];
        var program = new StageProgram(
            stage.Section, stage.Program.Objective, configuration.Seed,
            chosen.Select(i => (stage.Program.Steps[i].Epoch, stage.Program.Steps[i].Batch)));
        using var trajectory = new SampledTrajectory([program], start);
        using var scope = NewDisposeScope();
        var probeGradient = start.zeros_like() + 1e-3;
        var times = new List<(long PaddedTokens, double Seconds)>();
        var (first, watch, rounds) = (0.0, Stopwatch.StartNew(), 0);
        ProcessMemory.RestartPeak();
        // The heap of a second walk is as a long one's.
        while (rounds < 2 || (rounds < MostRounds && watch.Elapsed.TotalSeconds * (rounds + 1) / rounds < seconds))
        {
            var last = Stopwatch.GetTimestamp();
            new AdjointSweep(trajectory, new PropagationOptions()).Run([probeGradient], ofExamples: false, ofBlocks: true, new Walk(done =>
            {
                var elapsed = Stopwatch.GetElapsedTime(last).TotalSeconds;
                last = Stopwatch.GetTimestamp();
                // The first of a walk also rebuilds the states.
                // The longest is there for the peak of memory; it stands for few.
                if (done > 1 && done < chosen.Length) times.Add((stage.StepTokens[chosen[^done]], elapsed));
                else if (rounds == 0) first = elapsed;
            }), cancellation);
            rounds++;
        }

        var cost = WorkCost.Fit(times);
        return new SweepMeasurement(
            cost,
            Math.Max(0, first - cost.Seconds(stage.StepTokens[rising[0]])),
            ProcessMemory.PeakBytes,
            StatesHeld(chosen.Length),
            rounds * chosen.Length);
    }

    /// <summary>
    /// Optimizer states a sweep over a stage holds at the most: every c-th, those between two of them, of which each makes room for an
    /// adjoint that waits for the table, and one of those.
    /// </summary>
    public static int StatesHeld(int steps)
    {
        var interval = ObservedStage.DefaultInterval(steps);
        return ((steps + interval - 1) / interval) + Math.Min(steps, interval) + 2;
    }

    private sealed class Walk(Action<int> report) : IProgress<(int Step, int Total)>
    {
        public void Report((int Step, int Total) value) => report(value.Step);
    }
}
