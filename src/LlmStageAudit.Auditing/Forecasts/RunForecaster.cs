using System.Diagnostics;
using LlmStageAudit.Attribution;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Training.Estimates;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>
/// Foretells what a run and its audit take. The model is loaded and the data read as training would; then a handful of batches of the
/// probes, of real steps and of a sweep are run in memory, chosen from the run's own, and what they took is laid out over all of them. Disk
/// comes from the formats. Nothing is kept: only scratch files for the speed of the disk are written, and deleted.
/// </summary>
internal sealed class RunForecaster(ForecastRequest request)
{
    private readonly RunConfiguration _configuration = request.Configuration;
    private readonly string _path = request.Folder;
    private readonly MachineLimits _limits = MachineLimits.Current;

    /// <summary>Loads, measures and lays out.</summary>
    /// <param name="device">Where the run would compute.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="AuditException">Configuration, inputs or arithmetic, as training would find.</exception>
    public RunForecast Forecast(Device? device, CancellationToken cancellation)
    {
        var probes = request.Probes;
        var watch = Stopwatch.StartNew();
        var (available, atStart) = (_limits.AvailableMemoryBytes(), ProcessMemory.ResidentBytes);
        using (ones([1]))
        {
            // The engine is there now, and what comes on top is the run's.
        }

        var engine = ProcessMemory.ResidentBytes;
        ProcessMemory.RestartPeak();
        using var materials = RunMaterials.Gather(_configuration, device);
        var gathered = request.StartSeconds + watch.Elapsed.TotalSeconds;
        var (loadPeak, loadedBytes) = (ProcessMemory.PeakBytes, Math.Max(0, ProcessMemory.ResidentBytes - engine));

        // In the order of the memory they take, so that what one leaves behind is no burden to the next.
        var asked = probes
            .Select(probe => new ProbeMeasurement(probe, materials.Model, materials.Reader, materials.InitialState, cancellation))
            .ToArray();
        foreach (var probe in asked) probe.MeasureEvaluation(request.MeasureSeconds / 10 / asked.Length);
        var stages = StageWork.Of(_configuration, materials);
        var training = TrainingMeasurement.Run(_configuration, materials, stages, _path, request.MeasureSeconds / 2, cancellation);
        var run = new MeasuredRun(_configuration, materials, stages, training, _path);
        var replay = asked.Length == 0
            ? null
            : ReplayMeasurement.Run(stages, _configuration, materials.InitialState, asked.MaxBy(probe => probe.PeakBytes)!, cancellation);
        foreach (var probe in asked) probe.MeasureLinearity();
        var swept = _configuration.Trajectory.Gradients ? asked.Where(probe => probe.Probe.Performance.Weighted is not null).ToArray() : [];
        foreach (var probe in swept) probe.MeasureGradient(request.MeasureSeconds / 10 / swept.Length);
        var sweep = swept.Length == 0 ? null : new SweepForecast(run, request.MeasureSeconds / 3, cancellation);

        var opened = gathered + run.InputSeconds + run.RecordSeconds;
        var load = new PhaseForecast("load", "train", opened + run.CreateSeconds, loadPeak, run.Disk.HeadBytes);
        var reopened = opened - materials.ModelSeconds + run.SavedModelSeconds;
        var firstWarmUp = asked.FirstOrDefault()?.WarmUpSeconds ?? 0;
        return new RunForecast
        {
            Phases =
            [
                load,
                .. stages.Select((stage, i) => new PhaseForecast(
                    $"train {stage.Section.Name}",
                    "train",
                    run.TrainSeconds(i) + run.WarmUpSeconds(i) + (i == 0 ? firstWarmUp : 0),
                    run.TrainPeakBytes(stage),
                    run.Disk.Stages[i].Bytes)),
                .. asked.SelectMany(probe => OfProbe(run, probe, replay!, swept.Contains(probe) ? sweep : null, reopened, loadPeak)),
                Retraining(run, reopened, firstWarmUp, loadPeak, loadedBytes),
            ],
            AvailableMemoryBytes = available + atStart,
            FreeDiskBytes = _limits.FreeDiskBytes(_path),
            Measured = (training.Steps, sweep?.MeasuredSteps ?? 0, asked.Sum(probe => probe.Batches)),
            HashBytesPerSecond = training.HashBytesPerSecond,
            WriteBytesPerSecond = run.WriteBytesPerSecond,
            Assumptions = Assumptions(device, probes.Count),
        };
    }

    private static IEnumerable<PhaseForecast> OfProbe(
        MeasuredRun run, ProbeMeasurement probe, ReplayMeasurement replay, SweepForecast? sweep, double opened, long loadPeak)
    {
        var (name, stages, count) = (probe.Probe.Reference.Name, run.Stages, run.Stages.Count);
        var ready = opened + probe.ReadSeconds + probe.WarmUpSeconds;
        yield return new PhaseForecast(
            $"evaluate {name}", "evaluate", ready + run.StateReadSeconds(1) + probe.Seconds, probe.PeakBytes, 0);

        var replays = stages.Select((_, left) => stages.Skip(left + 1).Sum(run.GradientSeconds)).Sum();
        // Each stage beyond those gone through brings a counterfactual's state, its parameters and its change.
        var held = (count - replay.Stages) * (stages.Max(run.StateBytes) + (2 * run.VectorBytes));
        var linearity = probe.LinearitySeconds * GradientCost.VectorProducts(count) / GradientCost.VectorProducts(1);
        yield return new PhaseForecast(
            $"attribute {name}, exact",
            "attribute",
            ready + run.StateReadSeconds(count) + (probe.Seconds * (count + 1)) + replays + (count == 1 ? 0 : run.WarmUpSeconds(0))
                + linearity,
            Math.Max(replay.PeakBytes + held, probe.PeakBytes),
            0);

        if (sweep is null) yield break;
        // The probe is run on the observed state twice, and on two states without a step.
        yield return new PhaseForecast(
            $"attribute {name}, sweep over steps",
            "attribute",
            ready + run.StateReadSeconds(count) + (probe.Seconds * 4) + probe.GradientSeconds + run.WarmUpSeconds(0) + sweep.Seconds,
            Math.Max(sweep.PeakBytes(loadPeak), probe.GradientPeakBytes),
            0);
    }

    private PhaseForecast Retraining(MeasuredRun run, double opened, double warmUp, long loadPeak, long loadedBytes)
    {
        // Beside the observed run's records there are a plan's and those of the new runs.
        var (seconds, bytes) = (opened + run.RecordSeconds, 0L);
        for (var left = 0; left < run.Stages.Count; left++)
        {
            seconds += run.SavedModelSeconds + run.Materials.ReadSeconds.Skip(left + 1).Sum() + run.InputSeconds + run.CreateSeconds;
            for (var stage = left + 1; stage < run.Stages.Count; stage++) seconds += run.TrainSeconds(stage);
            bytes += RunDisk.Without(_configuration, run.Materials, _path, left).Bytes;
        }

        // The retrained model stands beside the observed run's.
        var trains = run.Stages.Count > 1;
        var peak = loadedBytes + (trains ? Math.Max(loadPeak, run.Stages.Skip(1).Max(run.TrainPeakBytes)) : loadPeak);
        return new PhaseForecast(
            "retrain without each stage", "retrain", seconds + (trains ? warmUp + run.WarmUpSeconds(0) : 0), peak, bytes);
    }

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
