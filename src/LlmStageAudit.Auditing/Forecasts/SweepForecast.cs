using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Training.Estimates;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>What a backward sweep over all steps of a run takes, with its spot checks and the table of consecutive steps.</summary>
internal sealed class SweepForecast
{
    private readonly MeasuredRun _run;
    private readonly Dictionary<object, SweepMeasurement> _kinds;

    /// <summary>Sweeps over a few steps of every kind of stage.</summary>
    /// <param name="run">Stays the caller's.</param>
    /// <param name="seconds">About how long measuring may take.</param>
    /// <param name="cancellation">Checked between steps.</param>
    public SweepForecast(MeasuredRun run, double seconds, CancellationToken cancellation)
    {
        _run = run;
        var kinds = run.Stages.GroupBy(stage => stage.Kind).ToArray();
        _kinds = kinds.ToDictionary(kind => (object)kind.Key, kind => SweepMeasurement.Run(
            [.. kind], run.Configuration, run.Materials.InitialState, run.Training.Of(kind.First()),
            seconds / kinds.Length, cancellation));
    }

    /// <summary>How many steps were swept to find out.</summary>
    public int MeasuredSteps => _kinds.Values.Sum(kind => kind.Steps);

    public double Seconds
    {
        get
        {
            var steps = _run.Stages.SelectMany(stage => stage.StepTokens.Select(tokens => (Stage: stage, Tokens: tokens))).ToArray();
            // States are rebuilt twice, from gradients of the log, and each step's own is read once more.
            var back = steps.Sum(step =>
                Of(step.Stage).Step.Seconds(step.Tokens) + _run.Training.Of(step.Stage).UpdateSeconds + (3 * ReadSeconds));
            // The run without a step five, and one seven, eighths through it.
            var check = new[] { 5, 7 }.Sum(eighths =>
                steps.Skip((eighths * steps.Length / 8) + 1).Sum(step => _run.Training.Of(step.Stage).Gradient.Seconds(step.Tokens)));
            var blocks = steps.Length <= BlockTable.MaximumSteps ? BlockSeconds() : 0;
            return _run.LogReadSeconds + back + check + blocks + _kinds.Values.Sum(kind => kind.WarmUpSeconds);
        }
    }

    /// <summary>
    /// At a Hessian-vector product the states kept and rebuilt, and adjoints that wait for the table as states are let go; or, while the
    /// table is filled, those adjoints twice.
    /// </summary>
    /// <param name="loadedBytes">Of the process with model and data.</param>
    public long PeakBytes(long loadedBytes) => _run.Stages.Max(stage =>
    {
        var (measured, count, state) = (Of(stage), stage.StepTokens.Count, _run.StateBytes(stage));
        var interval = ObservedStage.DefaultInterval(count);
        var held = SweepMeasurement.StatesHeld(count, interval);
        var product = measured.PeakBytes + ((held - measured.States) * state);
        var filling = loadedBytes + ((held + Math.Min(count, interval) + 4) * state);
        return Math.Max(product, filling) + (2 * _run.VectorBytes);
    });

    /// <summary>A gradient of the log: read, its hash checked, made a tensor.</summary>
    private double ReadSeconds => _run.VectorBytes * ((1 / _run.Training.HashBytesPerSecond) + (3 / _run.MemoryBytesPerSecond));

    private SweepMeasurement Of(StageWork stage) => _kinds[stage.Kind];

    /// <summary>For every few steps all states before them are rebuilt from the log and paired with their adjoints.</summary>
    private double BlockSeconds()
    {
        var (seconds, before) = (0.0, 0);
        foreach (var stage in _run.Stages)
        {
            var count = stage.StepTokens.Count;
            var interval = ObservedStage.DefaultInterval(count);
            var rebuilt = _run.Training.Of(stage).UpdateSeconds + ReadSeconds;
            for (var first = 0; first < count; first += interval)
            {
                var (own, rows) = (Math.Min(count, first + interval), Math.Min(interval, count - first));
                // Of earlier stages only the parameters count; of its own the buffers too.
                seconds += (rebuilt * (before + own))
                    + (((3 + rows) * ((_run.VectorBytes * before) + (_run.StateBytes(stage) * own))) / _run.MemoryBytesPerSecond);
            }

            before += count;
        }

        return seconds;
    }
}
