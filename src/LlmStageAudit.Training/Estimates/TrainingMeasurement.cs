using System.Diagnostics;
using LlmStageAudit.Records.Configuration;
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
/// Runs a handful of a run's own steps: of each kind the longest batch, for the peak of memory, and batches from all over the
/// distribution of lengths, for time. States stay in memory; gradients go through the log's own writer into a scratch
/// file, which is deleted.
/// </summary>
public sealed class TrainingMeasurement
{
    private const int TypicalSteps = 6;
    private const int MostRounds = 4;

    /// <summary>States move too little to matter: a batch drawn out of order at the full rate might diverge.</summary>
    private const double RateShare = 1e-6;

    private readonly RunMaterials _materials;
    private readonly Dictionary<(int, int?, OptimizerName), StepMeasurement> _kinds = [];
    private readonly ScratchLog _log;

    private TrainingMeasurement(RunConfiguration configuration, RunMaterials materials, string path) =>
        (_materials, _log) =
            (materials, new ScratchLog(path, configuration.Trajectory.Gradients ? sizeof(float) * materials.Model.Layout.Count : 0));

    /// <summary>Of SHA-256 on one core.</summary>
    public double HashBytesPerSecond => _log.HashBytesPerSecond;

    /// <summary>Of the log, hashed and written beside the computation.</summary>
    public double LogBytesPerSecond => _log.LogBytesPerSecond;

    /// <summary>What steps of a stage's kind cost.</summary>
    public StepMeasurement Of(StageWork stage) => _kinds[stage.Kind];

    /// <summary>Steps run in all.</summary>
    public int Steps => _kinds.Values.Sum(kind => kind.Steps);

    /// <summary>Runs steps of every kind and measures them.</summary>
    /// <param name="configuration">The run.</param>
    /// <param name="materials">Its model and data.</param>
    /// <param name="stages">All its stages.</param>
    /// <param name="path">Where it would lie.</param>
    /// <param name="seconds">About how long it may take; less where the steps agree, more where three of each kind take longer.</param>
    /// <param name="cancellation">Checked between steps.</param>
    public static TrainingMeasurement Run(
        RunConfiguration configuration,
        RunMaterials materials,
        IReadOnlyList<StageWork> stages,
        string path,
        double seconds,
        CancellationToken cancellation)
    {
        var measurement = new TrainingMeasurement(configuration, materials, path);
        var kinds = stages.GroupBy(stage => stage.Kind).ToArray();
        foreach (var kind in kinds)
            measurement._kinds[kind.Key] = measurement.Measure(
                [.. kind], passesStages: stages.Count > 1, seconds / kinds.Length, cancellation);
        return measurement;
    }

    private StepMeasurement Measure(StageWork[] stages, bool passesStages, double seconds, CancellationToken cancellation)
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
            _log.Begin();
            var first = Take(typical[0]);
            PassStage();
            for (var round = 0; round < MostRounds; round++)
            {
                foreach (var (place, i) in typical.Index())
                {
                    if ((round > 0 || place > 1) && watch.Elapsed.TotalSeconds > seconds) break;
                    times.Add(all[i].Tokens, Take(i));
                }
            }

            PassStage();
            Take(largest);
            var cost = WorkCost.Fit(times.Gradients);
            var warmUp = Math.Max(0, first.Gradient + first.Encode - cost.Seconds(all[typical[0]].Tokens) - times.EncodeSeconds);
            return new StepMeasurement(
                cost, times.UpdateSeconds, times.EncodeSeconds, warmUp, ProcessMemory.PeakBytes, times.Gradients.Count + 2);
        }
        finally
        {
            state.Dispose();
            _log.End();
        }

        (double Gradient, double Update, double Encode) Take(int i)
        {
            cancellation.ThrowIfCancellationRequested();
            var (found, next) = Step(all[i].Program, all[i].Step, state);
            state = next;
            return found;
        }

        void PassStage()
        {
            if (!passesStages) return;
            _log.End();
            state = SavedAndRead(all[largest].Program, state);
            _log.Begin();
        }
    }

    /// <summary>One step as training makes it, its gradient encoded and written beside the next one.</summary>
    private ((double Gradient, double Update, double Encode) Seconds, OptimizerState Next) Step(
        StageProgram program, ProgramStep step, OptimizerState state)
    {
        using var scope = NewDisposeScope();
        var start = Stopwatch.GetTimestamp();
        var (_, _, gradient) = program.Gradient(step, state.Theta);
        var computed = Stopwatch.GetTimestamp();
        var next = program.Optimizer.Advance(state, gradient, step.LearningRate * RateShare);
        state.Dispose();
        var updated = Stopwatch.GetTimestamp();
        _log.Write(gradient);
        var encoded = Stopwatch.GetTimestamp();
        return ((Seconds(start, updated), Seconds(computed, updated), Seconds(updated, encoded)), next);
    }

    /// <summary>
    /// Between two stages the state is written, through managed memory, and read again: what that leaves behind, the next stage's first
    /// steps find still there.
    /// </summary>
    private OptimizerState SavedAndRead(StageProgram program, OptimizerState state)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        foreach (var slot in _materials.Model.Layout.Slots) _ = state.Theta.narrow(0, slot.Offset, slot.Length).to(float32).ToArray<float>();
        var read = state.Theta.zeros_like();
        read.copy_(state.Theta);
        state.Dispose();
        return program.Optimizer.Start(read);
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
