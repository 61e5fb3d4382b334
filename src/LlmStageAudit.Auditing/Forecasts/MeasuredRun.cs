using System.Diagnostics;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Training.Estimates;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>A run's materials, and what loading them and training on them was found to take.</summary>
internal sealed class MeasuredRun
{
    /// <summary>The system writes pages back by itself after about so long; what is younger is written when a stage is saved.</summary>
    private const double WriteBackSeconds = 30;

    /// <summary>Files that saving a stage, or making a run, flushes to disk: a state's, and manifests.</summary>
    private const int FilesPerSave = 6;

    /// <summary>Gradients the log's queue holds where hashing is slower than computing.</summary>
    private const int WaitingGradients = 8;

    private const long LargestScratchBytes = 128L << 20;

    private readonly DiskSpeed _speed;

    /// <summary>Measures the disk, memory and the making of records.</summary>
    /// <param name="configuration">The run's.</param>
    /// <param name="materials">Of the run; stay the caller's.</param>
    /// <param name="stages">With their work.</param>
    /// <param name="training">Measured on them.</param>
    /// <param name="path">Where the run would lie.</param>
    public MeasuredRun(
        RunConfiguration configuration, RunMaterials materials, IReadOnlyList<StageWork> stages, TrainingMeasurement training, string path)
    {
        (Configuration, Materials, Stages, Training) = (configuration, materials, stages, training);
        var start = Stopwatch.GetTimestamp();
        Disk = RunDisk.Of(configuration, materials);
        RecordSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        _speed = DiskSpeed.Measure(path, Math.Min(LargestScratchBytes, Disk.Stages.Max(stage => stage.Bytes)));
        var inputs = RunInputs.Files(configuration, materials.Model).Where(file => file.Role != InputRole.Probe);
        InputSeconds = inputs.Sum(file => new FileInfo(file.Path).Length) / training.HashBytesPerSecond;
        MemoryBytesPerSecond = MeasureMemory();
    }

    public RunConfiguration Configuration { get; }

    public RunMaterials Materials { get; }

    public IReadOnlyList<StageWork> Stages { get; }

    public TrainingMeasurement Training { get; }

    public RunDisk Disk { get; }

    /// <summary>Making a run's records for the first time in a process, as every command that writes or reads them does.</summary>
    public double RecordSeconds { get; }

    /// <summary>Hashing the files the run is pinned to.</summary>
    public double InputSeconds { get; }

    /// <summary>How fast vectors of parameters are read.</summary>
    public double MemoryBytesPerSecond { get; }

    public double WriteBytesPerSecond => _speed.BytesPerSecond;

    /// <summary>Of a float32 vector of all trainable parameters.</summary>
    public long VectorBytes => sizeof(float) * Materials.Model.Layout.Count;

    /// <summary>Making the run folder.</summary>
    public double CreateSeconds => _speed.Seconds(FilesPerSave, Disk.HeadBytes);

    /// <summary>
    /// What loading the model takes a command that opens the run: where all weights train, what was drawn from the seed is read from there.
    /// </summary>
    public double SavedModelSeconds => Configuration is { Adapter: null, Model.Weights: ModelWeights.Random }
        ? Materials.ModelSeconds - Materials.Model.RandomSeconds + StateReadSeconds(1)
        : Materials.ModelSeconds;

    /// <summary>All logs, read by a command that finds nothing of them in memory: at the speed they were written.</summary>
    public double LogReadSeconds => Disk.Stages.Sum(stage => stage.LogBytes) / WriteBytesPerSecond;

    /// <summary>Saved states, likewise.</summary>
    public double StateReadSeconds(int states) => states * VectorBytes / WriteBytesPerSecond;

    /// <summary>Of an optimizer's state in a stage.</summary>
    public long StateBytes(StageWork stage) => VectorBytes * Preflight.StateVectors(stage.Section.Optimizer);

    /// <summary>Gradients and updates of all steps of a stage.</summary>
    public double GradientSeconds(StageWork stage) => Training.Of(stage).Gradient.Seconds(stage.StepTokens);

    /// <summary>A stage in a process that is warm: its steps, the log that may hold them up, and saving the state.</summary>
    public double TrainSeconds(int index)
    {
        var (stage, bytes) = (Stages[index], Disk.Stages[index]);
        var computing = GradientSeconds(stage) + (Training.Of(stage).EncodeSeconds * stage.StepTokens.Count);
        var steps = Math.Max(computing, bytes.LogBytes / Training.LogBytesPerSecond);
        var young = (long)(bytes.LogBytes * Math.Min(1, WriteBackSeconds / Math.Max(steps, 1e-9)));
        return steps + _speed.Seconds(FilesPerSave, young + bytes.StateBytes) + (bytes.StateBytes / Training.HashBytesPerSecond);
    }

    /// <summary>What the first steps of a process take beyond their share, where the stage brings a new kind of step.</summary>
    public double WarmUpSeconds(int index) =>
        Stages.Take(index).Any(earlier => earlier.Kind == Stages[index].Kind) ? 0 : Training.Of(Stages[index]).WarmUpSeconds;

    public long TrainPeakBytes(StageWork stage)
    {
        var measured = Training.Of(stage);
        var isHeldUp = VectorBytes / Training.LogBytesPerSecond > stage.StepTokens.Average(measured.Gradient.Seconds);
        return measured.PeakBytes + (Configuration.Trajectory.Gradients && isHeldUp ? WaitingGradients * VectorBytes : 0);
    }

    private double MeasureMemory()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var theta = Materials.InitialState;
        var seconds = Enumerable.Range(0, 3).Select(_ =>
        {
            var start = Stopwatch.GetTimestamp();
            using var product = theta.dot(theta);
            product.ToNumber();
            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }).Min();
        return VectorBytes / Math.Max(1e-9, seconds);
    }
}
