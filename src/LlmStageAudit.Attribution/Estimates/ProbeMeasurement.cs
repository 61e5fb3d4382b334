using System.Diagnostics;
using LlmStageAudit.Artifacts.Configuration;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Auditing.Probes;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Training.Estimates;

namespace LlmStageAudit.Attribution.Estimates;

/// <summary>What running a probe on a state costs, found by running some of its batches.</summary>
internal sealed class ProbeMeasurement
{
    private const int TypicalBatches = 5;
    private const int MostRounds = 3;

    private readonly LanguageModel _model;
    private readonly Tensor _theta;
    private readonly int[][] _batches;
    private readonly long[] _tokens;
    private readonly CancellationToken _cancellation;

    /// <summary>Reads the probe.</summary>
    /// <param name="theta">A state [N]; stays the caller's.</param>
    /// <param name="cancellation">Checked between batches.</param>
    public ProbeMeasurement(ProbeConfiguration configuration, LanguageModel model, ExampleReader reader, Tensor theta, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        (_model, _theta, _cancellation) = (model, theta, cancellation);
        Probe = Probe.Read(configuration, model, reader);
        _batches = [.. new ProbeEvaluator(model, Probe).Batches];
        _tokens = [.. _batches.Select(batch => StageWork.PaddedTokens(batch, null, Probe.Examples))];
        ReadSeconds = watch.Elapsed.TotalSeconds;
    }

    public Probe Probe { get; }

    public double ReadSeconds { get; }

    /// <summary>All forward passes.</summary>
    public double Seconds { get; private set; }

    /// <summary>What the first took beyond its share.</summary>
    public double WarmUpSeconds { get; private set; }

    /// <summary>The most that was resident during forward passes.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>The probe's gradient at a state.</summary>
    public double GradientSeconds { get; private set; }

    /// <summary>The most that was resident during gradients.</summary>
    public long GradientPeakBytes { get; private set; }

    /// <summary>Exact attribution's look at how far effects are from linear, with one direction.</summary>
    public double LinearitySeconds { get; private set; }

    /// <summary>How many batches were run.</summary>
    public int Batches { get; private set; }

    /// <param name="seconds">About how long it may take.</param>
    public void MeasureEvaluation(double seconds) =>
        (Seconds, WarmUpSeconds, PeakBytes) = Measure(seconds, batch => Forward(_theta, batch));

    /// <param name="seconds">About how long it may take.</param>
    public void MeasureGradient(double seconds)
    {
        var reading = new ProbeObjective(_model, Probe, ProbeReading.Performance);
        (GradientSeconds, _, GradientPeakBytes) = Measure(seconds, batch => reading.LossAndGradient(_theta, batch));
    }

    /// <summary>Runs all of it, which does not grow with the probe.</summary>
    /// <param name="seconds">It is run again where that takes less.</param>
    public void MeasureLinearity(double seconds)
    {
        for (var round = 0; round < 2 && (round == 0 || LinearitySeconds < seconds); round++)
        {
            using var scope = NewDisposeScope();
            var direction = _theta.zeros_like() + 1e-3;
            var start = Stopwatch.GetTimestamp();
            RunLinearity(_theta, [direction]);
            LinearitySeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    /// <summary>Derivatives at a state [N] along directions [N], of the examples that linearity is judged by.</summary>
    public void RunLinearity(Tensor theta, IReadOnlyList<Tensor> directions)
    {
        _cancellation.ThrowIfCancellationRequested();
        if (Probe.Performance.Weighted is { } weighted)
            new ProbeGradient(_model, Probe, weighted).Derivatives(theta, directions, LinearityGap.Sample(Probe.Examples.Count));
    }

    /// <summary>The forward pass of the longest batch, at a state [N].</summary>
    public void RunLongest(Tensor theta)
    {
        _cancellation.ThrowIfCancellationRequested();
        using var scope = NewDisposeScope();
        Forward(theta, _batches[WorkCost.Choose(_tokens, 1).Largest]);
    }

    private void Forward(Tensor theta, int[] batch)
    {
        using var off = no_grad();
        var objective = new TransformerObjective(_model, Probe.Examples);
        var parameters = _model.Layout.Split(theta);
        var values = _model.Task == ModelTask.CausalLm ? objective.Losses(parameters, batch) : objective.Logits(parameters, batch);
        _ = values.to(float64).data<double>();
    }

    private (double Seconds, double WarmUpSeconds, long PeakBytes) Measure(double seconds, Action<int[]> pass)
    {
        var (largest, typical) = WorkCost.Choose(_tokens, TypicalBatches);
        var times = new List<(long PaddedTokens, double Seconds)>();
        var watch = Stopwatch.StartNew();
        ProcessMemory.RestartPeak();
        int[] rising = [.. typical.Order()];
        var first = Take(rising[0]);
        foreach (var i in rising[1..])
        {
            if (watch.Elapsed.TotalSeconds < seconds / 3) times.Add((_tokens[i], Take(i)));
        }

        Take(largest);
        for (var round = 0; round < MostRounds; round++)
        {
            foreach (var (place, i) in typical.Index())
            {
                if ((round > 0 || place > 1) && watch.Elapsed.TotalSeconds > seconds) break;
                times.Add((_tokens[i], Take(i)));
            }
        }

        var cost = WorkCost.Fit(times);
        return (cost.Seconds(_tokens), Math.Max(0, first - cost.Seconds(_tokens[rising[0]])), ProcessMemory.PeakBytes);

        double Take(int i)
        {
            _cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var start = Stopwatch.GetTimestamp();
            pass(_batches[i]);
            Batches++;
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }
}
