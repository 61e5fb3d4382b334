using System.Diagnostics;
using System.Security.Cryptography;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>A stage of a run with the tokens of each of its steps, padding included, over all forward passes.</summary>
internal sealed record StageWork(int Index, StageSection Section, IReadOnlyList<long> StepTokens)
{
    /// <summary>Steps of stages that agree in this differ by their tokens only.</summary>
    public (int BatchSize, int? MicroBatchSize, OptimizerName Optimizer) Kind =>
        (Section.BatchSize, Section.MicroBatchSize, Section.Optimizer.Name);

    public IEnumerable<(StageWork Stage, long Tokens)> Steps => StepTokens.Select(tokens => (this, tokens));
}

/// <summary>A step of a sampled run.</summary>
/// <param name="Stage">The stage it is taken from.</param>
/// <param name="Place">From 0, within the sampled stage.</param>
/// <param name="Count">Steps of the sampled stage: a middling one, typical ones, the longest, and the middling one again.</param>
/// <param name="Tokens">Of its batch.</param>
internal readonly record struct SampledStep(StageWork Stage, int Place, int Count, long Tokens)
{
    /// <summary>Whether it comes between steps, in memory that does not grow for it.</summary>
    public bool IsTypical => Place > 0 && Place < Count - 2;
}

/// <summary>
/// A run in small, against the clock: the training loop itself makes some of a run's own steps, of every kind, and of two stages where
/// there are several, in a run folder beside where the run would lie. That is deleted when this is disposed.
/// </summary>
internal sealed class SampledRun : IDisposable
{
    private const int MostTypicalSteps = 24;

    /// <summary>Typical steps also made of a stage that has fewer; of a longer one no more than it has.</summary>
    private const int FewSteps = 8;

    /// <summary>In parts, for what is allocated here would stand in the peaks measured after it.</summary>
    private const int SpeedTestBytes = 32 << 20;
    private const int SpeedTestParts = 32;

    /// <summary>States move too little to matter: a batch drawn out of order at the full rate might diverge.</summary>
    private const double RateShare = 1e-6;

    /// <summary>The log is flushed after so long; what is younger is flushed when a stage ends.</summary>
    private const double FlushSeconds = 10;

    private readonly RunMaterials _materials;
    private readonly string _folder;
    private readonly IReadOnlyDictionary<object, WorkCost> _steps;
    private readonly double _logSeconds;

    /// <summary>
    /// Trains a run in small, on materials that stay the caller's, beside where the run would lie. Its steps may take about so many
    /// seconds; two typical ones of each kind are made however long they take.
    /// </summary>
    /// <exception cref="Foundation.Errors.AuditException">As training throws.</exception>
    public SampledRun(
        RunConfiguration configuration, RunMaterials materials, string path, double seconds, CancellationToken cancellation)
    {
        _materials = materials;
        // The first records of a process take much longer than later ones.
        var start = Stopwatch.GetTimestamp();
        Disk = RunDisk.Of(materials);
        BeginSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Stages = [.. configuration.Stages.Select((section, index) => new StageWork(
            index,
            section,
            [.. materials.Programs[index].Steps.Select(step =>
                WorkCost.PaddedTokens(step.Batch, section.MicroBatchSize, materials.ExampleSets[index].Examples))]))];
        // The longest batch comes last, where it meets all that was held before it.
        var stages = Stages.GroupBy(stage => stage.Kind).Select(kind => kind.MaxBy(stage => stage.StepTokens.Max())!)
            .Concat(Stages.TakeLast(2)).Distinct().OrderBy(stage => stage.StepTokens.Max()).ToArray();
        var (first, again) = (OneGradient(stages[^1], cancellation), OneGradient(stages[^1], cancellation));
        WarmUpSeconds = Math.Max(0, first - again);
        var affordable = (int)Math.Clamp((seconds / again / stages.Length) - 3, 2, MostTypicalSteps);
        int[][] places =
            [.. stages.Select(stage => Choose(stage.StepTokens, Math.Min(affordable, Math.Max(FewSteps, stage.StepTokens.Count))))];
        Steps = [.. stages.Zip(places).SelectMany(part => part.Second.Select((i, place) =>
            new SampledStep(part.First, place, part.Second.Length, part.First.StepTokens[i])))];
        configuration = configuration with { Stages = [.. stages.Select(stage => Slowed(stage.Section))] };
        var sample = materials.With(
            configuration,
            [.. stages.Zip(places, (stage, steps) => Program(stage, steps, configuration.Seed))],
            [.. stages.Select(stage => materials.ExampleSets[stage.Index])]);
        var disk = RunDisk.Of(sample);
        _folder = Folder(path, disk.Bytes + SpeedTestBytes);
        try
        {
            HashBytesPerSecond = Speed(part =>
            {
                for (var i = 0; i < SpeedTestParts; i++) SHA256.HashData(part);
            });
            WriteBytesPerSecond = Speed(part => Write(Path.Combine(_folder, "speed"), part));
            ProcessMemory.RestartPeak();
            var (root, clock) = (Path.Combine(_folder, "run"), new StepClock());
            var manifest = RunTrainer.Train(sample, root, clock, cancellation);
            clock.Lap();
            Run = new TrainedRun(RunFolder.Open(root), manifest, sample);
            _logSeconds = manifest.LogSeconds / Steps.Count;
            _steps = Fit(clock.Laps.Select(lap => lap.Seconds), step => step.IsTypical);
            // What is resident at a stage's end is told with the next step.
            PeakBytes = Steps.Zip(clock.Laps.Skip(1)).GroupBy(one => (object)one.First.Stage.Kind, one => one.Second.PeakBytes)
                .ToDictionary(kind => kind.Key, kind => kind.Max());
            // Each lap ends with a step but the last, which ends with the run. A stage's first also holds what comes before it.
            double[] between =
            [
                .. Steps.Zip(clock.Laps).Where(one => one.First.Place == 0)
                    .Select(one => Math.Max(0, one.Second.Seconds - _steps[one.First.Stage.Kind].Seconds(one.First.Tokens))),
                clock.Laps[^1].Seconds,
            ];
            BeginSeconds += between[0];
            var flushed = disk.Stages.Average(stage => stage.LogBytes) / WriteBytesPerSecond;
            EndSeconds = Math.Max(0, between.Skip(1).Average() - flushed);
        }
        catch
        {
            Dispose();
            // Not as a run that was stopped, which could be gone on with.
            cancellation.ThrowIfCancellationRequested();
            throw;
        }
    }

    /// <summary>Of the run it stands for, all.</summary>
    public IReadOnlyList<StageWork> Stages { get; }

    /// <summary>What that run takes.</summary>
    public RunDisk Disk { get; }

    /// <summary>The steps made, in order.</summary>
    public IReadOnlyList<SampledStep> Steps { get; }

    /// <summary>The run in small; not to be disposed.</summary>
    public TrainedRun Run { get; }

    /// <summary>What a gradient takes beyond its share where it is the first of a process.</summary>
    public double WarmUpSeconds { get; }

    /// <summary>From the materials to the first step, the first time in a process: hashing inputs, making the folder.</summary>
    public double BeginSeconds { get; }

    /// <summary>From the last step of a stage to the next stage or the end, less the flushing of its log.</summary>
    public double EndSeconds { get; }

    /// <summary>Of SHA-256 on one core.</summary>
    public double HashBytesPerSecond { get; }

    /// <summary>Of the file system the run would lie on.</summary>
    public double WriteBytesPerSecond { get; }

    /// <summary>The most that was resident while stages of each kind were trained.</summary>
    public IReadOnlyDictionary<object, long> PeakBytes { get; }

    /// <summary>Of a float32 vector of all trainable parameters.</summary>
    public long VectorBytes => sizeof(float) * _materials.Model.Layout.Count;

    /// <summary>Of an optimizer's state in a stage.</summary>
    public long StateBytes(StageWork stage) => VectorBytes * Preflight.StateVectors(stage.Section.Optimizer);

    /// <summary>What steps of each kind take, by the seconds of every step made, in order; of each kind one has to count.</summary>
    public IReadOnlyDictionary<object, WorkCost> Fit(IEnumerable<double> stepSeconds, Func<SampledStep, bool> counts) =>
        Steps.Zip(stepSeconds).Where(one => counts(one.First)).GroupBy(one => (object)one.First.Stage.Kind)
            .ToDictionary(kind => kind.Key, kind => WorkCost.Fit([.. kind.Select(one => (one.First.Tokens, one.Second))]));

    /// <summary>Losses, gradients and updates of steps of the run.</summary>
    public double GradientSeconds(IEnumerable<(StageWork Stage, long Tokens)> steps) =>
        steps.Sum(step => Math.Max(0, _steps[step.Stage.Kind].Seconds(step.Tokens) - _logSeconds));

    /// <summary>A stage in a process that is warm: its steps, the log that may hold them up, and its end.</summary>
    public double TrainSeconds(StageWork stage)
    {
        var log = Disk.Stages[stage.Index].LogBytes;
        var steps = Math.Max(_steps[stage.Kind].Seconds(stage.StepTokens), (log / HashBytesPerSecond) + (log / WriteBytesPerSecond));
        return steps + EndSeconds + (log * Math.Min(1, FlushSeconds / steps) / WriteBytesPerSecond);
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    private double OneGradient(StageWork stage, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var scope = NewDisposeScope();
        var program = _materials.Programs[stage.Index];
        var start = Stopwatch.GetTimestamp();
        program.Gradient(program.Steps[WorkCost.Choose(stage.StepTokens, 1).Typical[0]], _materials.InitialState);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Places of the steps to make; see <see cref="SampledStep.Count"/>.</summary>
    private static int[] Choose(IReadOnlyList<long> tokens, int count)
    {
        var (largest, typical) = WorkCost.Choose(tokens, count);
        return [typical[0], .. Enumerable.Range(0, count).Select(i => typical[i % typical.Count]), largest, typical[0]];
    }

    private StageProgram Program(StageWork stage, int[] steps, long seed)
    {
        var program = _materials.Programs[stage.Index];
        return new StageProgram(
            Slowed(stage.Section), program.Objective, seed,
            steps.Select(i => (program.Steps[i].Epoch, program.Steps[i].Batch)));
    }

    private static StageSection Slowed(StageSection section) =>
        section with { Optimizer = section.Optimizer with { LearningRate = RateShare * section.Optimizer.LearningRate } };

    /// <summary>Beside where the run would lie, or, where that has no room or is not to be written to, where temporary files go.</summary>
    private static string Folder(string path, long bytes)
    {
        var place = new DirectoryInfo(Path.GetFullPath(path));
        while (place is { Exists: false, Parent: { } parent }) place = parent;
        try
        {
            if (!(MachineLimits.Current.FreeDiskBytes(path) < bytes))
                return place.CreateSubdirectory($".stageaudit-{Guid.NewGuid():N}.partial").FullName;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Training will say so.
        }

        return Directory.CreateTempSubdirectory("stageaudit-").FullName;
    }

    private static double Speed(Action<byte[]> use)
    {
        var part = new byte[SpeedTestBytes / SpeedTestParts];
        Random.Shared.NextBytes(part);
        var start = Stopwatch.GetTimestamp();
        use(part);
        return SpeedTestBytes / Math.Max(1e-9, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private static void Write(string path, byte[] part)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var i = 0; i < SpeedTestParts; i++) file.Write(part);
        file.Flush(flushToDisk: true);
    }
}
