using System.Diagnostics;
using LlmStageAudit.Attribution;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Estimates;

namespace LlmStageAudit.Auditing.Forecasts;

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
    /// <param name="configuration">The probe's.</param>
    /// <param name="model">Stays the caller's.</param>
    /// <param name="reader">Encodes texts for the model.</param>
    /// <param name="theta">A state [N]; stays the caller's.</param>
    /// <param name="cancellation">Checked between batches.</param>
    public ProbeMeasurement(
        ProbeConfiguration configuration, LanguageModel model, ExampleReader reader, Tensor theta, CancellationToken cancellation)
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

    /// <summary>What a first pass over all takes beyond a later one.</summary>
    public double WarmUpSeconds { get; private set; }

    /// <summary>The most that was resident during forward passes.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>The probe's gradient at a state.</summary>
    public double GradientSeconds { get; private set; }

    /// <summary>The most that was resident during gradients.</summary>
    public long GradientPeakBytes { get; private set; }

    /// <summary>
    /// Exact attribution's look at how far effects are from linear, with one direction, in a process that does so for the first time.
    /// </summary>
    public double LinearitySeconds { get; private set; }

    /// <summary>How many batches were run.</summary>
    public int Batches { get; private set; }

    /// <summary>Times forward passes.</summary>
    /// <param name="seconds">About how long it may take.</param>
    public void MeasureEvaluation(double seconds) =>
        (Seconds, WarmUpSeconds, PeakBytes) = Measure(seconds, batch => Forward(_theta, batch));

    /// <summary>Times gradients of the performance function.</summary>
    /// <param name="seconds">About how long it may take.</param>
    public void MeasureGradient(double seconds)
    {
        var reading = new ProbeObjective(_model, Probe, ProbeReading.Performance);
        (GradientSeconds, _, GradientPeakBytes) = Measure(seconds, batch => reading.LossAndGradient(_theta, batch));
    }

    /// <summary>Runs all of it, which does not grow with the probe, where that was not done yet.</summary>
    public void MeasureLinearity()
    {
        if (LinearitySeconds > 0) return;
        using var scope = NewDisposeScope();
        TorchEngine.TrimMemory();
        RunLinearity(_theta, [_theta.zeros_like().plus(1e-3)]);
    }

    /// <summary>
    /// Derivatives at a state [N] along directions [N], of the examples that linearity is judged by. The first time counts: a command does
    /// so once, in memory that nothing has used before.
    /// </summary>
    public void RunLinearity(Tensor theta, IReadOnlyList<Tensor> directions)
    {
        _cancellation.ThrowIfCancellationRequested();
        if (Probe.Performance.Weighted is not { } weighted) return;
        var start = Stopwatch.GetTimestamp();
        new ProbeGradient(_model, Probe, weighted).Derivatives(theta, directions, LinearityGap.Sample(Probe.Examples.Count));
        if (LinearitySeconds > 0) return;
        LinearitySeconds = Stopwatch.GetElapsedTime(start).TotalSeconds
            * GradientCost.VectorProducts(1) / GradientCost.VectorProducts(directions.Count);
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
        _ = values.to(float64).ToArray<double>();
    }

    /// <summary>
    /// Batches from all over the distribution of lengths, all where there are few, from short to long as an evaluation runs them: first for
    /// what a first pass takes, whose memory grows as it goes, then again for what every further one takes.
    /// </summary>
    private (double Seconds, double WarmUpSeconds, long PeakBytes) Measure(double seconds, Action<int[]> pass)
    {
        var (largest, typical) = WorkCost.Choose(_tokens, TypicalBatches);
        int[] chosen = [.. typical.Append(largest).Distinct().Order()];
        var watch = Stopwatch.StartNew();
        ProcessMemory.RestartPeak();
        var firsts = chosen.ToDictionary(i => i, Take);
        // The first of all also compiles, so that at least that one is run again.
        var again = new Dictionary<int, List<double>>();
        for (var round = 0; round < MostRounds; round++)
        {
            foreach (var i in chosen)
            {
                if (again.Count > 0 && watch.Elapsed.TotalSeconds > seconds) break;
                if (!again.TryGetValue(i, out var times)) again[i] = times = [];
                times.Add(Take(i));
            }
        }

        var (excess, each) = (0.0, new Dictionary<int, double>());
        foreach (var i in chosen)
        {
            each[i] = again.TryGetValue(i, out var times) ? times.Order().ElementAt(times.Count / 2) : firsts[i];
            excess += Math.Max(0, firsts[i] - each[i]);
        }

        var isAll = chosen.Length == _batches.Length;
        var total = isAll ? each.Values.Sum() : WorkCost.Fit([.. typical.Select(i => (_tokens[i], each[i]))]).Seconds(_tokens);
        return (total, excess, ProcessMemory.PeakBytes);

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
