using System.Diagnostics;
using LlmStageAudit.Attribution;
using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Estimates;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>What steps of a backward sweep cost, found by sweeping over some of a run's batches.</summary>
/// <param name="Step">The transposed update and the Hessian-vector product of a step.</param>
/// <param name="WarmUpSeconds">What the first took beyond its share, and the longest, which is where memory grows.</param>
/// <param name="PeakBytes">The most that was resident, at the longest batch.</param>
/// <param name="States">Optimizer states and waiting adjoints held then.</param>
/// <param name="Steps">How many steps were swept.</param>
internal sealed record SweepMeasurement(WorkCost Step, double WarmUpSeconds, long PeakBytes, int States, int Steps)
{
    private const int TypicalSteps = 5;
    private const int MostRounds = 3;

    /// <summary>Sweeps back over a few batches of the longest stage.</summary>
    /// <param name="stages">Stages of one kind.</param>
    /// <param name="configuration">Of the run.</param>
    /// <param name="start">Parameters [N].</param>
    /// <param name="training">What their steps take in training.</param>
    /// <param name="seconds">About how long it may take.</param>
    /// <param name="cancellation">Checked between steps.</param>
    public static SweepMeasurement Run(
        IReadOnlyList<StageWork> stages,
        RunConfiguration configuration,
        Tensor start,
        StepMeasurement training,
        double seconds,
        CancellationToken cancellation)
    {
        var stage = stages.MaxBy(one => one.StepTokens.Max())!;
        var (largest, typical) = WorkCost.Choose(stage.StepTokens, TypicalSteps);
        var affordable =
            seconds / Math.Max(1e-6, GradientCost.VectorProducts(1) * typical.Average(i => training.Gradient.Seconds(stage.StepTokens[i])));
        int[] timed = [.. typical.Take(Math.Clamp((int)affordable - 3, 2, TypicalSteps))];
        // Walked from the end. A short one takes the time of the beginning, another that of pairing the adjoints with the states.
        var shortest = timed.MinBy(i => stage.StepTokens[i]);
        int[] chosen = [shortest, .. timed, largest, shortest];
        var program = new StageProgram(
            stage.Section, stage.Program.Objective, configuration.Seed,
            chosen.Select(i => (stage.Program.Steps[i].Epoch, stage.Program.Steps[i].Batch)));
        using var trajectory = new SampledTrajectory([program], start);
        using var scope = NewDisposeScope();
        var probeGradient = start.zeros_like().plus(1e-3);
        // Rebuilt in one go, so that between two steps there is nothing but the steps.
        var options = new PropagationOptions { CheckpointInterval = chosen.Length };
        var times = new List<(long PaddedTokens, double Seconds)>();
        var (first, longest, watch, rounds) = (0.0, 0.0, Stopwatch.StartNew(), 0);
        ProcessMemory.RestartPeak();
        while (rounds == 0 || (rounds < MostRounds && watch.Elapsed.TotalSeconds * (rounds + 1) / rounds < seconds))
        {
            var last = Stopwatch.GetTimestamp();
            new AdjointSweep(trajectory, options).Run([probeGradient], ofExamples: false, ofBlocks: true, new Walk(done =>
            {
                var elapsed = Stopwatch.GetElapsedTime(last).TotalSeconds;
                last = Stopwatch.GetTimestamp();
                if (done > 2 && done < chosen.Length) times.Add((stage.StepTokens[chosen[^done]], elapsed));
                else if (rounds == 0 && done == 1) first = elapsed;
                else if (rounds == 0 && done == 2) longest = elapsed;
            }), cancellation);
            rounds++;
        }

        var cost = WorkCost.Fit(times);
        // The first also rebuilds the states, twice.
        var warmUp = first - (2 * chosen.Length * training.UpdateSeconds) - cost.Seconds(stage.StepTokens[shortest]);
        return new SweepMeasurement(
            cost,
            Math.Max(0, warmUp) + Math.Max(0, longest - cost.Seconds(stage.StepTokens[largest])),
            ProcessMemory.PeakBytes,
            StatesHeld(chosen.Length, chosen.Length),
            rounds * chosen.Length);
    }

    /// <summary>
    /// Optimizer states a sweep over a stage holds at the most: every c-th, those between two of them, of which each makes room for an
    /// adjoint that waits for the table, and one of those.
    /// </summary>
    /// <param name="steps">Of the stage.</param>
    /// <param name="interval">c.</param>
    public static int StatesHeld(int steps, int interval) => ((steps + interval - 1) / interval) + Math.Min(steps, interval) + 2;

    private sealed class Walk(Action<int> report) : IProgress<(int Step, int Total)>
    {
        public void Report((int Step, int Total) value) => report(value.Step);
    }
}
