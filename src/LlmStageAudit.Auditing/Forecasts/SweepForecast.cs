using System.Diagnostics;
using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>
/// What a backward sweep over all steps of a run takes, with its spot checks and the table of consecutive steps, found by sweeping over the
/// run in small.
/// </summary>
internal sealed class SweepForecast
{
    /// <summary>Steps between kept states, in small.</summary>
    private const int Interval = 8;

    private readonly SampledRun _sample;
    private readonly IReadOnlyDictionary<object, WorkCost> _steps;
    private readonly double _rebuildSeconds;
    private readonly double _pairSeconds;
    private readonly double _warmUpSeconds;
    private readonly long _peakBytes;

    /// <summary>Sweeps in small; the sample stays the caller's.</summary>
    public SweepForecast(SampledRun sample, CancellationToken cancellation)
    {
        _sample = sample;
        using var scope = NewDisposeScope();
        _rebuildSeconds = RebuildSeconds();
        ProcessMemory.RestartPeak();
        var probe = sample.Run.StateBefore(0).zeros_like().plus(1e-3);
        var clock = new StepClock();
        new AdjointSweep(sample.Run, new Estimator.Adjoint(new Curvature.Full()), seed: 0) { CheckpointInterval = Interval }
            .Run([probe], ofExamples: false, ofBlocks: true, clock, cancellation);
        _peakBytes = ProcessMemory.PeakBytes;

        // Walked from the end. Before the last of every few steps their states are rebuilt, after the first they are paired with adjoints.
        double[] laps = [.. clock.Laps.Select(lap => lap.Seconds).Reverse()];
        _steps = sample.Fit(laps, step => step.IsTypical && step.Place % Interval is > 0 and < Interval - 1);
        var beyond = sample.Steps.Zip(laps, (step, lap) => lap - _steps[step.Stage.Kind].Seconds(step.Tokens)).ToArray();
        var (seconds, states) = (0.0, 0);
        foreach (var (i, step) in sample.Steps.Index().Where(one => one.Item.Place % Interval == 0))
            (seconds, states) = (seconds + beyond[i], states + i + Math.Min(Interval, step.Count - step.Place));
        _pairSeconds = Math.Max(0, (seconds / states) - _rebuildSeconds) / (3 + Interval);
        var last = sample.Steps[^1];
        _warmUpSeconds = Math.Max(0, beyond[^1] - ((last.Count + (last.Place % Interval) + 1) * _rebuildSeconds)) + Math.Max(0, beyond[^2]);
    }

    public double Seconds
    {
        get
        {
            var steps = _sample.Stages.SelectMany(stage => stage.Steps).ToArray();
            var back = steps.Sum(step => _steps[step.Stage.Kind].Seconds(step.Tokens) + (2 * _rebuildSeconds));
            // The run without a step five, and one seven, eighths through it.
            var check = new[] { 5, 7 }.Sum(eighths => _sample.GradientSeconds(steps.Skip((eighths * steps.Length / 8) + 1)));
            var blocks = steps.Length <= BlockTable.MaximumSteps ? BlockSeconds() : 0;
            return back + check + blocks + _warmUpSeconds;
        }
    }

    /// <summary>
    /// At a Hessian-vector product the states kept and rebuilt, and adjoints that wait for the table as states are let go; or, while the
    /// table is filled, those adjoints twice.
    /// </summary>
    /// <param name="loadedBytes">Of the process with model and data.</param>
    public long PeakBytes(long loadedBytes)
    {
        var measured = _sample.Steps.Max(step => StatesHeld(step.Count, Interval) * _sample.StateBytes(step.Stage));
        return _sample.Stages.Max(stage =>
        {
            var (count, state) = (stage.StepTokens.Count, _sample.StateBytes(stage));
            var interval = AdjointSweep.DefaultInterval(count);
            var held = StatesHeld(count, interval);
            var filling = loadedBytes + ((held + Math.Min(count, interval) + 4) * state);
            return Math.Max(_peakBytes + (held * state) - measured, filling) + (2 * _sample.VectorBytes);
        });

        // Every c-th, those between two of them, each of which makes room for an adjoint that waits for the table, and one of those.
        static int StatesHeld(int steps, int interval) => ((steps + interval - 1) / interval) + Math.Min(steps, interval) + 2;
    }

    /// <summary>Reading a gradient from the log and making its update again.</summary>
    private double RebuildSeconds()
    {
        var (run, stage) = (_sample.Run, _sample.Run.Programs.Count - 1);
        using var log = run.OpenLog(stage);
        var (watch, state) = (Stopwatch.StartNew(), run.Programs[stage].Optimizer.Start(run.StateBefore(stage)));
        log.Replay(state, 0, log.Steps.Count).Dispose();
        return watch.Elapsed.TotalSeconds / log.Steps.Count;
    }

    /// <summary>For every few steps all states before them are rebuilt from the log and paired with their adjoints.</summary>
    private double BlockSeconds()
    {
        var (seconds, before) = (0.0, 0);
        foreach (var count in _sample.Stages.Select(stage => stage.StepTokens.Count))
        {
            var interval = AdjointSweep.DefaultInterval(count);
            for (var first = 0; first < count; first += interval)
            {
                var rows = Math.Min(interval, count - first);
                seconds += (before + first + rows) * (_rebuildSeconds + (_pairSeconds * (3 + rows)));
            }

            before += count;
        }

        return seconds;
    }
}
