using System.Diagnostics;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>What running a probe costs, found with the examples that linearity is judged by, and the longest batch.</summary>
internal sealed class ProbeMeasurement
{
    private const int MostRounds = 5;

    private readonly RunMaterials _materials;
    private readonly Probe _sample;
    private readonly double _sampleSeconds;
    private readonly int[] _longest;
    private readonly double _longestShare;

    /// <summary>
    /// Reads the probe and runs it at the initial state, for about so many seconds; the sample is run twice however long it takes.
    /// </summary>
    public ProbeMeasurement(ProbeConfiguration configuration, RunMaterials materials, double seconds, CancellationToken cancellation)
    {
        _materials = materials;
        var watch = Stopwatch.StartNew();
        Probe = Probe.Read(configuration, materials.Model, materials.Reader);
        ReadSeconds = watch.Elapsed.TotalSeconds;
        _sample = Probe.Part(LinearityGap.Sample(Probe.Examples.Count));
        var (all, some) = (new ProbeEvaluator(materials.Model, Probe), new ProbeEvaluator(materials.Model, _sample));
        ProcessMemory.RestartPeak();
        watch.Restart();
        var clock = new StepClock();
        do
        {
            cancellation.ThrowIfCancellationRequested();
            some.Evaluate(materials.InitialState);
            clock.Lap();
        }
        while (clock.Laps.Count < 2 || (clock.Laps.Count < MostRounds && watch.Elapsed.TotalSeconds < seconds));

        _longest = all.Batches.Last();
        all.Forward(materials.InitialState, _longest);
        PeakBytes = ProcessMemory.PeakBytes;
        _sampleSeconds = clock.Laps.Skip(1).Average(lap => lap.Seconds);
        _longestShare = Tokens(Probe, [_longest]) / Tokens(Probe, all.Batches);
        WarmUpSeconds = Math.Max(0, clock.Laps[0].Seconds - _sampleSeconds);
        Seconds = _sampleSeconds * Tokens(Probe, all.Batches) / Tokens(_sample, some.Batches);
        Batches = (clock.Laps.Count * some.Batches.Count()) + 1;
    }

    public Probe Probe { get; }

    public double ReadSeconds { get; }

    /// <summary>How many batches were run.</summary>
    public int Batches { get; private set; }

    /// <summary>All forward passes.</summary>
    public double Seconds { get; }

    /// <summary>What the first passes of a process take beyond later ones.</summary>
    public double WarmUpSeconds { get; }

    /// <summary>The most that was resident during forward passes.</summary>
    public long PeakBytes { get; }

    /// <summary>The performance function's gradient.</summary>
    public double GradientSeconds { get; private set; }

    /// <summary>The most that was resident during that.</summary>
    public long GradientPeakBytes { get; private set; }

    /// <summary>What exact attribution does after its replays and beside running the probe: above all, its look at linearity.</summary>
    public double ReadingSeconds { get; private set; }

    /// <summary>Times the gradient of the longest batch.</summary>
    public void MeasureGradient()
    {
        using var scope = NewDisposeScope();
        ProcessMemory.RestartPeak();
        var start = Stopwatch.GetTimestamp();
        new ProbeGradient(_materials.Model, Probe, Probe.Performance.Weighted!).Gradient(_materials.InitialState, _longest);
        GradientSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds / _longestShare;
        GradientPeakBytes = ProcessMemory.PeakBytes;
        Batches++;
    }

    /// <summary>Attributes a run in small exactly, without each of some stages; gives the most that was resident.</summary>
    public long Attribute(TrainedRun run, IReadOnlyList<string> stages, CancellationToken cancellation)
    {
        ProcessMemory.RestartPeak();
        var clock = new StepClock();
        StageAttribution.Attribute(new Inquiry(run, _sample, new AttributionRequest { Only = stages }, clock, cancellation));
        clock.Lap();
        ReadingSeconds = Math.Max(0, clock.Laps[^1].Seconds - (stages.Count * _sampleSeconds));
        return clock.Laps[^1].PeakBytes;
    }

    private static double Tokens(Probe probe, IEnumerable<int[]> batches) =>
        batches.Sum(batch => WorkCost.PaddedTokens(batch, null, probe.Examples));
}
