using System.Diagnostics;
using LlmStageAudit.Attribution;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>
/// Foretells what a run and its audit take. The model is loaded and the data read as training would; then a part of each probe is run, and
/// a run in small is trained, attributed and swept over by the loops that would do so with the run itself. What a clock saw of them is
/// laid out over all of it. Disk comes from the formats. Nothing is kept.
/// </summary>
internal sealed class RunForecaster(ForecastRequest request)
{
    private const int MostReplays = 4;

    private readonly RunConfiguration _configuration = request.Configuration;
    private readonly string _path = request.Folder;
    private readonly MachineLimits _limits = MachineLimits.Current;

    // From before the engine is loaded, which whoever asks for the device does.
    private readonly Stopwatch _watch = Stopwatch.StartNew();

    /// <summary>Loads, measures and lays out.</summary>
    /// <param name="device">Where the run would compute.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="AuditException">Configuration, inputs or arithmetic, as training would find.</exception>
    public RunForecast Forecast(Device? device, CancellationToken cancellation)
    {
        var (available, atStart) = (_limits.AvailableMemoryBytes(), ProcessMemory.ResidentBytes);
        using (ones([1]))
        {
            // The engine is there now, and what comes on top is the run's.
        }

        var engine = ProcessMemory.ResidentBytes;
        ProcessMemory.RestartPeak();
        using var materials = RunMaterials.Gather(_configuration, device);
        var gathered = request.StartSeconds + _watch.Elapsed.TotalSeconds;
        var (loadPeak, loadedBytes) = (ProcessMemory.PeakBytes, Math.Max(0, ProcessMemory.ResidentBytes - engine));

        // In the order of the memory they take, so that what one leaves behind is no burden to the next.
        var share = request.MeasureSeconds / 10 / Math.Max(1, request.Probes.Count);
        ProbeMeasurement[] probes =
            [.. request.Probes.Select(probe => new ProbeMeasurement(probe, materials, share, cancellation))];
        ProbeMeasurement[] swept =
            [.. probes.Where(probe => _configuration.Trajectory.Gradients && probe.Probe.Performance.Weighted is not null)];
        // Each step is trained, about half of them replayed, and all swept over.
        var gradients = 1.5 + (swept.Length > 0 ? GradientCost.VectorProducts(1) : 0);
        using var run = new SampledRun(_configuration, materials, _path, 0.8 * request.MeasureSeconds / gradients, cancellation);
        string[] replayed = [.. run.Run.Programs.TakeLast(MostReplays).Select(program => program.Name)];
        var replayPeak = probes.Select(probe => probe.Attribute(run.Run, replayed, cancellation)).DefaultIfEmpty(0).Max();
        foreach (var probe in swept) probe.MeasureGradient();
        var sweep = swept.Length > 0 ? new SweepForecast(run, cancellation) : null;

        var warmUp = probes.Select(probe => probe.WarmUpSeconds).DefaultIfEmpty(0).Max();
        var opened = gathered + run.BeginSeconds - materials.ModelSeconds + SavedModelSeconds(run, materials);
        return new RunForecast
        {
            Phases =
            [
                new PhaseForecast("load", "train", gathered + run.BeginSeconds, loadPeak, run.Disk.HeadBytes),
                .. run.Stages.Select(stage => new PhaseForecast(
                    $"train {stage.Section.Name}",
                    "train",
                    run.TrainSeconds(stage) + (stage.Index == 0 ? warmUp + run.WarmUpSeconds : 0),
                    run.PeakBytes[stage.Kind],
                    run.Disk.Stages[stage.Index].Bytes)),
                .. probes.SelectMany(probe =>
                    OfProbe(run, probe, replayPeak, swept.Contains(probe) ? sweep : null, opened + warmUp, loadPeak)),
                Retraining(run, materials, opened + warmUp, loadPeak, loadedBytes),
            ],
            AvailableMemoryBytes = available + atStart,
            FreeDiskBytes = _limits.FreeDiskBytes(_path),
            Measured = (run.Steps.Count, sweep is null ? 0 : run.Steps.Count, probes.Sum(probe => probe.Batches)),
            HashBytesPerSecond = run.HashBytesPerSecond,
            WriteBytesPerSecond = run.WriteBytesPerSecond,
            Assumptions = Assumptions(device, probes.Length),
        };
    }

    private static IEnumerable<PhaseForecast> OfProbe(
        SampledRun run, ProbeMeasurement probe, long replayPeak, SweepForecast? sweep, double opened, long loadPeak)
    {
        var (name, count) = (probe.Probe.Reference.Name, run.Stages.Count);
        var (ready, replayed) = (opened + probe.ReadSeconds, Math.Min(MostReplays, run.Run.Programs.Count));
        yield return Phase($"evaluate {name}", states: 1, probings: 1, 0, probe.PeakBytes);

        var replays = run.Stages.Sum(stage => stage.Index * run.GradientSeconds(stage.Steps));
        // Each stage beyond those gone through brings a counterfactual's state, its parameters and its change.
        var held = (count - replayed) * (run.Stages.Max(run.StateBytes) + (2 * run.VectorBytes));
        var readings = probe.ReadingSeconds * GradientCost.VectorProducts(count) / GradientCost.VectorProducts(replayed);
        yield return Phase(
            $"attribute {name}, exact", count, count + 1, replays + (count == 1 ? 0 : run.WarmUpSeconds) + readings,
            Math.Max(replayPeak + held, probe.PeakBytes));

        if (sweep is null) yield break;
        // The probe is run on the observed state twice, and on two states without a step. All logs are read, at the speed of writing.
        var logs = run.Disk.Stages.Sum(stage => stage.LogBytes) / run.WriteBytesPerSecond;
        yield return Phase(
            $"attribute {name}, sweep over steps", count, 4, probe.GradientSeconds + run.WarmUpSeconds + logs + sweep.Seconds,
            Math.Max(sweep.PeakBytes(loadPeak), probe.GradientPeakBytes));

        PhaseForecast Phase(string phase, int states, int probings, double more, long peak) => new(
            phase, phase.Split(' ')[0], ready + StateReadSeconds(run, states) + (probe.Seconds * probings) + more, peak, 0);
    }

    private PhaseForecast Retraining(SampledRun run, RunMaterials materials, double opened, long loadPeak, long loadedBytes)
    {
        var inputs = RunInputs.Files(_configuration, materials.Model).Where(file => file.Role != InputRole.Probe)
            .Sum(file => ForeignFile.SizeBytes(file.Path));
        // Loading, hashing what it is pinned to, and saving the initial state as a stage's is saved.
        var begin = SavedModelSeconds(run, materials) + (inputs / run.HashBytesPerSecond) + run.EndSeconds;
        var (seconds, bytes) = (opened, 0L);
        foreach (var left in run.Stages)
        {
            var rest = run.Stages.Skip(left.Index + 1);
            seconds += begin + rest.Sum(stage => materials.ReadSeconds[stage.Index] + run.TrainSeconds(stage));
            bytes += RunDisk.Without(materials, _path, left.Index).Bytes;
        }

        // The retrained model stands beside the observed run's.
        var trains = run.Stages.Count > 1;
        var peak = loadedBytes + (trains ? Math.Max(loadPeak, run.Stages.Skip(1).Max(stage => run.PeakBytes[stage.Kind])) : loadPeak);
        return new PhaseForecast("retrain without each stage", "retrain", seconds + (trains ? run.WarmUpSeconds : 0), peak, bytes);
    }

    /// <summary>
    /// What loading the model takes a command that opens the run: where all weights train, what was drawn from the seed is read from there.
    /// </summary>
    private double SavedModelSeconds(SampledRun run, RunMaterials materials) =>
        _configuration is { Adapter: null, Model.Weights: ModelWeights.Random }
            ? materials.ModelSeconds - materials.Model.RandomSeconds + StateReadSeconds(run, 1)
            : materials.ModelSeconds;

    /// <summary>Saved states, read by a command that finds nothing of them in memory: at the speed they were written.</summary>
    private static double StateReadSeconds(SampledRun run, int states) => states * run.VectorBytes / run.WriteBytesPerSecond;

    private static string[] Assumptions(Device? device, int probes)
    {
        List<string> assumptions =
        [
            "the machine stays as busy as it was while this was measured",
            "evaluate, attribute and retrain are commands of their own, each with starting the process and loading in its figures",
            "results other than run folders (effects, rankings, plans, reports) are small and not counted",
        ];
        if (probes == 0)
            assumptions.Add($"no probe was given, so attribution is left out: name one in the configuration, or give {Setting.Probe}");
        if (device is { type: not DeviceType.CPU }) assumptions.Add("memory is the host's; the device's is not estimated");
        return [.. assumptions];
    }
}
