using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Seals.Verification;
using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Verification;

/// <summary>What executing a run again in part found.</summary>
/// <param name="Replayed">Steps whose gradient was computed again.</param>
/// <param name="WorstGradientError">
/// The largest ||recomputed - logged|| / ||recomputed|| of a gradient; null where none was computed.
/// </param>
/// <param name="GradientTolerance">
/// The largest such error that passes for rounding: more where another engine computes through a base in bfloat16.
/// </param>
/// <param name="StatesReplayed">Stages whose end was made again from their start and their logged gradients.</param>
/// <param name="WorstStateError">The largest ||replayed - saved|| / ||saved - start|| of a stage's end; null where none was made.</param>
/// <param name="Findings">Empty: the log, the states and the data fit each other.</param>
public sealed record ReplayVerification(
    int Replayed,
    double? WorstGradientError,
    double GradientTolerance,
    int StatesReplayed,
    double? WorstStateError,
    IReadOnlyList<RunFinding> Findings);

/// <summary>
/// What hashes cannot say: that a run's log tells what its training did. Every stage is walked from the state before it by the logged
/// gradients, and must end in the state that was saved; at randomly chosen steps the gradient itself is computed again from model and
/// data, with the loss. Someone who makes log, states and seal anew is caught here, unless they train.
/// </summary>
public sealed class RunReplay
{
    /// <summary>What is further off, relative to its size, is not rounding.</summary>
    private const double Tolerance = 1e-4;

    /// <summary>
    /// The same of what another engine computes again through a base in bfloat16: kernels round to eight bits in different places, by
    /// about 1e-2 in all.
    /// </summary>
    private const double CoarseTolerance = 5e-2;

    private readonly TrainedRun _run;
    private readonly double _tolerance;
    private readonly CancellationToken _cancellation;
    private readonly List<RunFinding> _findings = [];
    private double? _worstGradient;
    private double? _worstState;

    private RunReplay(TrainedRun run, CancellationToken cancellation)
    {
        (_run, _cancellation) = (run, cancellation);
        var isElsewhere = RunEngine.Differences(run.Manifest, run.Model.Device).Length > 0;
        _tolerance = isElsewhere && run.Configuration.Model.Dtype == ModelDtype.BFloat16 ? CoarseTolerance : Tolerance;
    }

    /// <summary>Executes a run again in part.</summary>
    /// <param name="run">One whose logs' hashes hold.</param>
    /// <param name="steps">How many steps to execute again, chosen at random over the whole run.</param>
    /// <param name="seed">Of the choice.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <exception cref="TrainingException">A log holds no gradients, or was written with other batches.</exception>
    public static ReplayVerification Verify(TrainedRun run, int steps, long seed, CancellationToken cancellation)
    {
        var all = run.Programs.SelectMany((program, stage) => program.Steps.Select(step => (Stage: stage, Step: step))).ToArray();
        StableRandom.For(seed, "verify-log").Shuffle<(int, ProgramStep)>(all);
        var chosen = all.Take(steps).ToLookup(pair => pair.Stage, pair => pair.Step.StageStep);
        var replay = new RunReplay(run, cancellation);
        for (var stage = 0; stage < run.Programs.Count; stage++) replay.Walk(stage, chosen[stage].ToHashSet());
        return new ReplayVerification(
            Math.Min(steps, all.Length), replay._worstGradient, replay._tolerance,
            run.Programs.Count, replay._worstState, replay._findings);
    }

    private void Walk(int stage, HashSet<int> chosen)
    {
        using var scope = NewDisposeScope();
        using var log = _run.OpenLog(stage);
        var program = _run.Programs[stage];
        var before = _run.StateBefore(stage);
        var state = program.Optimizer.Start(before);
        foreach (var step in program.Steps)
        {
            _cancellation.ThrowIfCancellationRequested();
            if (chosen.Contains(step.StageStep)) CheckStep(stage, log, step, state);
            state = log.Replay(state, step.StageStep - 1, step.StageStep);
        }

        var saved = _run.StateBefore(stage + 1);
        var change = (saved - before).norm().ToNumber();
        var error = (state.Theta - saved).norm().ToNumber() / (change == 0 ? 1 : change);
        state.Dispose();
        _worstState = Math.Max(_worstState ?? 0, error);
        if (!(error <= Tolerance))
            Add(
                NameOf(_run.Folder.StageStateFolder(stage, program.Name)), null, null,
                FormattableString.Invariant(
                    $"the logged gradients of stage '{program.Name}' lead to another state (relative difference {error:g3})"));
    }

    private void CheckStep(int stage, StageLog log, ProgramStep step, OptimizerState state)
    {
        using var scope = NewDisposeScope();
        var program = _run.Programs[stage];
        var name = NameOf(_run.Folder.TrajectoryPath(stage, program.Name));
        var record = log.Steps[step.StageStep - 1];
        var (loss, norm, gradient) = program.Gradient(step, state.Theta);
        var error = (gradient - log.Gradient(step)).norm().ToNumber() / (norm == 0 ? 1 : norm);
        _worstGradient = Math.Max(_worstGradient ?? 0, error);
        if (!(error <= _tolerance))
            Add(
                name, step.StageStep, null,
                FormattableString.Invariant($"recomputing step {step.StageStep} gives another gradient (relative difference {error:g3})"));
        CheckValue(name, record, "lossNats", record.LossNats, loss, _tolerance);
        CheckValue(name, record, "gradientNorm", record.GradientNorm, norm, _tolerance);
        CheckValue(name, record, "learningRate", record.LearningRate, step.LearningRate, Tolerance);
    }

    private void CheckValue(string name, StepRecord record, string field, double logged, double recomputed, double tolerance)
    {
        if (Math.Abs(logged - recomputed) <= tolerance * Math.Max(Math.Abs(recomputed), 1e-6)) return;
        Add(
            name, record.StageStep, field,
            FormattableString.Invariant($"record {record.StageStep} says {field} {logged:g6}; recomputing gives {recomputed:g6}"));
    }

    private void Add(string file, int? record, string? field, string message) =>
        _findings.Add(new RunFinding(file, record, field, FindingKind.NotReproduced, message));

    private string NameOf(string path) => Path.GetRelativePath(_run.Folder.Root, path).Replace(Path.DirectorySeparatorChar, '/');
}
