using System.Buffers;
using System.Diagnostics;
using System.Security.Cryptography;
using LlmStageAudit.Artifacts.Configuration;
using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Estimates;

/// <summary>What steps of one kind cost, found by running some.</summary>
/// <param name="Gradient">Loss, gradient and update of a step.</param>
/// <param name="UpdateSeconds">Of that, the update.</param>
/// <param name="EncodeSeconds">Handing a gradient to the log.</param>
/// <param name="WarmUpSeconds">What the very first step took beyond its share: code that is compiled, memory that is first touched.</param>
/// <param name="PeakBytes">The most that was resident, at the longest batch.</param>
/// <param name="Steps">How many were run.</param>
public sealed record StepMeasurement(
    WorkCost Gradient, double UpdateSeconds, double EncodeSeconds, double WarmUpSeconds, long PeakBytes, int Steps);

/// <summary>
/// Runs a handful of a run's own steps in memory: of each kind the longest batch, for the peak of memory, and batches from all over the
/// distribution of lengths, for time. Gradients are hashed beside it as the log does; nothing is written.
/// </summary>
public sealed class TrainingMeasurement : IDisposable
{
    private const int TypicalSteps = 6;
    private const int MostRounds = 4;

    /// <summary>States move too little to matter: a batch drawn out of order at the full rate might diverge.</summary>
    private const double RateShare = 1e-6;

    private readonly RunConfiguration _configuration;
    private readonly RunMaterials _materials;
    private readonly Queue<Task> _hashing = new();
    private readonly Dictionary<(int, int?, OptimizerName), StepMeasurement> _kinds = [];
    private long _hashedBytes;
    private long _hashTicks;

    private TrainingMeasurement(RunConfiguration configuration, RunMaterials materials) => (_configuration, _materials) = (configuration, materials);

    /// <summary>Of SHA-256 on one core beside the computation.</summary>
    public double HashBytesPerSecond => _hashedBytes / Math.Max(1e-9, Stopwatch.GetElapsedTime(0, _hashTicks).TotalSeconds);

    public StepMeasurement Of(StageWork stage) => _kinds[stage.Kind];

    /// <summary>Steps run in all.</summary>
    public int Steps => _kinds.Values.Sum(kind => kind.Steps);

    /// <param name="stages">All stages of the run.</param>
    /// <param name="seconds">About how long it may take; less where the steps agree, more where three of each kind take longer.</param>
    /// <param name="cancellation">Checked between steps.</param>
    public static TrainingMeasurement Run(
        RunConfiguration configuration, RunMaterials materials, IReadOnlyList<StageWork> stages, double seconds, CancellationToken cancellation)
    {
        var measurement = new TrainingMeasurement(configuration, materials);
        measurement.MeasureHashing();
        var kinds = stages.GroupBy(stage => stage.Kind).ToArray();
        foreach (var kind in kinds) measurement._kinds[kind.Key] = measurement.Measure([.. kind], seconds / kinds.Length, cancellation);
        return measurement;
    }

    public void Dispose() => Task.WaitAll([.. _hashing]);

    /// <summary>A first figure, and the only one where the log holds no gradients.</summary>
    private void MeasureHashing() => Hash(new byte[4 << 20], 4 << 20);

    private StepMeasurement Measure(StageWork[] stages, double seconds, CancellationToken cancellation)
    {
        (StageProgram Program, ProgramStep Step, long Tokens)[] all =
            [.. stages.SelectMany(stage => stage.Program.Steps.Zip(stage.StepTokens, (step, tokens) => (stage.Program, step, tokens)))];
        var (largest, typical) = WorkCost.Choose([.. all.Select(one => one.Tokens)], TypicalSteps);
        var times = new Times();
        var watch = Stopwatch.StartNew();
        ProcessMemory.RestartPeak();
        var state = all[largest].Program.Optimizer.Start(_materials.InitialState);
        try
        {
            // From short to long, as a heap grows the most: what a short batch leaves free does not fit the next one.
            int[] rising = [.. typical.OrderBy(i => all[i].Tokens)];
            var first = Take(rising[0]);
            foreach (var i in rising[1..])
            {
                if (watch.Elapsed.TotalSeconds < seconds / 3) times.Add(all[i].Tokens, Take(i));
            }

            Take(largest);
            for (var round = 0; round < MostRounds; round++)
            {
                foreach (var (place, i) in typical.Index())
                {
                    if ((round > 0 || place > 1) && watch.Elapsed.TotalSeconds > seconds) break;
                    times.Add(all[i].Tokens, Take(i));
                }
            }

            // Again, now that the allocator has seen batches of all lengths.
            Take(largest);
            var cost = WorkCost.Fit(times.Gradients);
            var warmUp = Math.Max(0, first.Gradient + first.Encode - cost.Seconds(all[rising[0]].Tokens) - times.EncodeSeconds);
            return new StepMeasurement(cost, times.UpdateSeconds, times.EncodeSeconds, warmUp, ProcessMemory.PeakBytes, times.Gradients.Count + 3);
        }
        finally
        {
            state.Dispose();
            Task.WaitAll([.. _hashing]);
            _hashing.Clear();
        }

        (double Gradient, double Update, double Encode) Take(int i)
        {
            cancellation.ThrowIfCancellationRequested();
            var (found, next) = Step(all[i].Program, all[i].Step, state);
            state = next;
            return found;
        }
    }

    /// <summary>One step as training makes it, its gradient encoded and hashed beside the next one.</summary>
    private ((double Gradient, double Update, double Encode) Seconds, OptimizerState Next) Step(StageProgram program, ProgramStep step, OptimizerState state)
    {
        using var scope = NewDisposeScope();
        var start = Stopwatch.GetTimestamp();
        var (_, _, gradient) = program.Gradient(step, state.Theta);
        var computed = Stopwatch.GetTimestamp();
        var next = program.Optimizer.Advance(state, gradient, step.LearningRate * RateShare);
        state.Dispose();
        var updated = Stopwatch.GetTimestamp();
        if (_configuration.Trajectory.Gradients)
        {
            var (bytes, length) = GradientCodec.Encode(gradient);
            while (_hashing.Count > 1) _hashing.Dequeue().Wait();
            _hashing.Enqueue(Task.Run(() =>
            {
                Hash(bytes, length);
                ArrayPool<byte>.Shared.Return(bytes);
            }));
        }

        var encoded = Stopwatch.GetTimestamp();
        return ((Seconds(start, updated), Seconds(computed, updated), Seconds(updated, encoded)), next);
    }

    private void Hash(byte[] bytes, int length)
    {
        var start = Stopwatch.GetTimestamp();
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes.AsSpan(0, length), hash);
        Interlocked.Add(ref _hashTicks, Stopwatch.GetTimestamp() - start);
        Interlocked.Add(ref _hashedBytes, length);
    }

    private static double Seconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalSeconds;

    private sealed class Times
    {
        private readonly List<double> _updates = [];
        private readonly List<double> _encodings = [];

        public List<(long PaddedTokens, double Seconds)> Gradients { get; } = [];

        public double UpdateSeconds => _updates.Average();

        public double EncodeSeconds => _encodings.Average();

        public void Add(long tokens, (double Gradient, double Update, double Encode) seconds)
        {
            Gradients.Add((tokens, seconds.Gradient));
            _updates.Add(seconds.Update);
            _encodings.Add(seconds.Encode);
        }
    }
}
