using System.Diagnostics;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Seals.Sealing;
using LlmStageAudit.Training.Optimizers;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Runs;

/// <summary>
/// Trains the stages of a run into its folder: every step logged, every stage's end saved, the manifest kept up to date. A
/// stopped or broken-off run goes on where its log ends, to the same bits.
/// </summary>
public sealed class RunTrainer
{
    private readonly RunFolder _folder;
    private readonly RunMaterials _materials;
    private readonly IProgress<RunProgress>? _progress;
    private readonly int _totalSteps;
    private readonly RunSealer _sealer;
    private readonly Action<Warning>? _warn;
    private RunManifest _manifest;

    private RunTrainer(RunFolder folder, RunMaterials materials, RunManifest manifest, IProgress<RunProgress>? progress, Action<Warning>? warn)
    {
        (_folder, _materials, _manifest, _progress, _warn) = (folder, materials, manifest, progress, warn);
        _totalSteps = materials.Programs.Sum(program => program.Steps.Count);
        _sealer = RunSealer.Open(folder);
    }

    /// <summary>Trains a new run.</summary>
    /// <param name="configuration">The run's.</param>
    /// <param name="path">The run folder: absent or empty. It appears only once model and data have been read and checked.</param>
    /// <param name="device">Where it computes; null: the CPU.</param>
    /// <param name="progress">Told after each step; null for nobody.</param>
    /// <param name="cancellation">Stops after the current step, at a valid checkpoint.</param>
    /// <param name="warn">Told what the manifest's warnings say, as soon as each is known; null for nobody.</param>
    /// <param name="preflight">Refuses a run that cannot fit before anything is written; null to start whatever the machine has.</param>
    /// <exception cref="AuditException">
    /// Configuration, inputs or arithmetic; or the run was stopped, also by a full disk.
    /// </exception>
    public static RunManifest Train(
        RunConfiguration configuration,
        string path,
        Device? device,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation,
        Action<Warning>? warn = null,
        Preflight? preflight = null)
    {
        RunFolder.CheckIsFree(path);
        preflight?.CheckMemory(path, configuration, device);
        using var materials = RunMaterials.Gather(configuration, device);
        preflight?.CheckDisk(path, materials);
        return Begin(materials, path, new RunStart(), progress, cancellation, warn);
    }

    /// <summary>Trains a new run whose model and data are there already.</summary>
    /// <param name="materials">Its stages; stay the caller's.</param>
    /// <param name="path">The run folder: absent or empty.</param>
    /// <param name="progress">Told after each step; null for nobody.</param>
    /// <param name="cancellation">Stops after the current step, at a valid checkpoint.</param>
    public static RunManifest Train(
        RunMaterials materials, string path, IProgress<RunProgress>? progress, CancellationToken cancellation) =>
        Begin(materials, path, new RunStart(), progress, cancellation);

    /// <summary>Trains the stages after a checkpoint of another run, leaving one out: a counterfactual, as a run of its own.</summary>
    /// <param name="parent">The observed run.</param>
    /// <param name="skipped">The stage to leave out; the run starts where that stage started.</param>
    /// <param name="path">The run folder.</param>
    /// <param name="progress">Told after each step; null for nobody.</param>
    /// <param name="cancellation">Stops after the current step, at a valid checkpoint.</param>
    public static RunManifest TrainWithout(
        TrainedRun parent, string skipped, string path, IProgress<RunProgress>? progress, CancellationToken cancellation)
    {
        RunFolder.CheckIsFree(path);
        var index = parent.StageIndex(skipped);
        var configuration = parent.Configuration with { Stages = [.. parent.Configuration.Stages.Skip(index + 1)] };
        var source = index == 0 ? parent.Folder.InitialFolder : parent.Folder.StageStateFolder(index - 1, parent.Programs[index - 1].Name);
        using var materials = RunMaterials.Restore(configuration, source, parent.Model.Device);
        var start = RunBeginning.Without(parent.Materials, parent.Manifest.RunId, parent.Folder.Root, index);
        return Begin(materials, path, start, progress, cancellation);
    }

    /// <summary>Goes on with a run that was stopped or broken off; does nothing to a completed one.</summary>
    /// <param name="path">The run folder.</param>
    /// <param name="configuration">Must equal the run's; null to take the run's word for it.</param>
    /// <param name="device">Where it computes; null: the CPU.</param>
    /// <param name="progress">Told after each step; null for nobody.</param>
    /// <param name="cancellation">Stops after the current step, at a valid checkpoint.</param>
    /// <param name="preflight">Refuses what cannot fit; null to start whatever the machine has.</param>
    /// <exception cref="TrainingException">Another configuration, or inputs that have changed.</exception>
    public static RunManifest Resume(
        string path,
        RunConfiguration? configuration,
        Device? device,
        IProgress<RunProgress>? progress,
        CancellationToken cancellation,
        Preflight? preflight = null)
    {
        var folder = RunFolder.Open(path);
        var manifest = folder.ReadManifest();
        if (configuration is not null && !ArtifactJson.AreEqual(configuration, manifest.Configuration))
            throw TrainingException.OtherConfiguration(path);
        if (manifest.State == RunState.Completed) return manifest;
        using var held = RunLock.Acquire(folder);
        // Whoever held the lock until now may have come further.
        manifest = folder.ReadManifest();
        if (manifest.State == RunState.Completed) return manifest;
        folder.ClearLeftovers();
        RunInputs.Check(manifest.Inputs);
        preflight?.CheckMemory(path, manifest.Configuration, device);
        using var materials = RunMaterials.Restore(manifest.Configuration, folder.InitialFolder, device);
        preflight?.CheckRest(path, materials);
        manifest = RunEngine.ResumedBy(manifest, materials.Model.Device);
        return new RunTrainer(folder, materials, manifest, progress, warn: null).TrainStages(cancellation);
    }

    private static RunManifest Begin(
        RunMaterials materials, string path, RunStart start, IProgress<RunProgress>? progress, CancellationToken cancellation,
        Action<Warning>? warn = null)
    {
        var manifest = RunBeginning.Manifest(materials, start, RunInputs.Pin(materials));
        manifest = manifest with { RunId = RunIdentity.Of(manifest) };
        foreach (var warning in manifest.Warnings) warn?.Invoke(warning);
        var folder = RunFolder.Create(path);
        using var held = RunLock.Acquire(folder);
        // Another process may have trained a run here between the two lines above.
        folder.Occupy();
        StateFolder.Write(folder.InitialFolder, materials.Model, materials.InitialState);
        folder.WriteManifest(manifest);
        return new RunTrainer(folder, materials, manifest, progress, warn).TrainStages(cancellation);
    }

    private RunManifest TrainStages(CancellationToken cancellation)
    {
        try
        {
            for (var index = 0; index < _materials.Programs.Count; index++)
            {
                if (_manifest.Stages[index].State == StageState.Completed) continue;
                TrainStage(index, cancellation);
                // What the end of a stage read again is garbage that steps, which make little, would leave standing
                // for the rest of the run.
                GC.Collect();
            }

            Save(_manifest with { State = RunState.Completed });
            return _manifest;
        }
        catch (StorageException exception) when (exception.IsFull)
        {
            SayStopped();
            throw TrainingException.DiskFull(
                _folder.Root, _manifest.Stages.FirstOrDefault(stage => stage.State == StageState.Running)?.Name, exception);
        }
    }

    private void SayStopped()
    {
        try
        {
            Save(_manifest with { State = RunState.Stopped });
        }
        catch (StorageException)
        {
            // No room for that either. The manifest that is there says running, and resumes as well.
        }
    }

    private void TrainStage(int index, CancellationToken cancellation)
    {
        var program = _materials.Programs[index];
        var watch = Stopwatch.StartNew();
        var firstStep = _materials.FirstStep(index);
        UpdateStage(index, stage => stage with
        {
            State = StageState.Running,
            FirstStep = firstStep,
            Steps = program.Steps.Count,
            Examples = program.Objective.ExampleCount,
        });

        var logTicks = 0L;
        var log = OpenWriter(index, program);
        var done = log.Count;
        using var writer = new BackgroundTrajectoryWriter(log);
        var state = Recover(index, program, done);
        (state, var finished) = StageTrainer.Train(program, state, done + 1, taken =>
        {
            var began = Stopwatch.GetTimestamp();
            var (bytes, length) = _manifest.Configuration.Trajectory.Gradients ? StageLog.Encode(taken.Gradient) : ([], 0);
            var record = StageLog.Record(taken.Step, firstStep, taken.LossNats, taken.GradientNorm, _materials.ExampleSets[index]);
            writer.Enqueue(record, bytes, length);
            logTicks += Stopwatch.GetTimestamp() - began;
            _progress?.Report(
                new RunProgress(program.Name, record.Step, _totalSteps, taken.LossNats, taken.Step.LearningRate));
        }, cancellation);
        using var owned = state;
        writer.Complete();
        if (!finished)
        {
            Save(_manifest with { State = RunState.Stopped });
            throw TrainingException.Stopped(_folder.Root, program.Name, writer.Count);
        }

        SaveStage(
            index, program, state.Theta, writer.HeadHash, watch.Elapsed.TotalSeconds, Stopwatch.GetElapsedTime(0, logTicks).TotalSeconds);
    }

    /// <summary>
    /// The stage's log, taken back to its last whole record: without gradients no state can be rebuilt and the stage begins again.
    /// </summary>
    private TrajectoryWriter OpenWriter(int index, StageProgram program)
    {
        var path = _folder.TrajectoryPath(index, program.Name);
        var genesis = TrajectoryGenesis.Of(_manifest.RunId, program.Name);
        return File.Exists(path)
            ? TrajectoryWriter.OpenForAppend(path, genesis, _manifest.Configuration.Trajectory.Gradients ? null : 0)
            : TrajectoryWriter.Create(path, genesis);
    }

    /// <summary>The state to go on from: the steps already made, replayed from the log.</summary>
    /// <param name="index">The stage's place.</param>
    /// <param name="program">What it runs.</param>
    /// <param name="done">How many steps the log holds.</param>
    private OptimizerState Recover(int index, StageProgram program, int done)
    {
        using var scope = NewDisposeScope();
        var start = program.Optimizer.Start(_materials.StateBefore(index, _folder));
        if (done == 0) return start;
        using var log = StageLog.Open(_folder, _manifest.RunId, _materials, index);
        return log.Replay(start, 0, done);
    }

    private void SaveStage(int index, StageProgram program, Tensor theta, string head, double seconds, double logSeconds)
    {
        var stateFolder = _folder.StageStateFolder(index, program.Name);
        // Left by a run that broke off between saving and saying so; the replayed state is the same.
        if (Directory.Exists(stateFolder)) StorageException.Guard(stateFolder, () => Directory.Delete(stateFolder, recursive: true));
        StateFolder.Write(stateFolder, _materials.Model, theta);
        using var log = StageLog.Open(_folder, _manifest.RunId, _materials, index);
        Warn(RunWarnings.Of(program.Name, [.. log.Steps.Select(step => step.LossNats)]));
        UpdateStage(index, stage => stage with
        {
            State = StageState.Completed,
            LossFirst = log.Steps[0].LossNats,
            LossLast = log.Steps[^1].LossNats,
            LossMean = log.Steps.Average(step => step.LossNats),
            TrainSeconds = stage.TrainSeconds + seconds - logSeconds,
            LogSeconds = stage.LogSeconds + logSeconds,
            TrajectoryHead = head,
            StateSha256 = ContentHash.OfFile(StateFolder.WeightsPath(stateFolder, _materials.Model)),
        });
    }

    private void Warn(Warning? warning)
    {
        if (warning is null || _manifest.Warnings.Contains(warning)) return;
        _manifest = _manifest with { Warnings = [.. _manifest.Warnings, warning] };
        _warn?.Invoke(warning);
    }

    private void UpdateStage(int index, Func<StageResult, StageResult> change)
    {
        StageResult[] stages = [.. _manifest.Stages.Select((stage, i) => i == index ? change(stage) : stage)];
        Save(_manifest with
        {
            State = RunState.Running,
            Stages = stages,
            TrainSeconds = stages.Sum(stage => stage.TrainSeconds),
            LogSeconds = stages.Sum(stage => stage.LogSeconds),
        });
    }

    private void Save(RunManifest manifest)
    {
        // Nothing is called completed that is not sealed.
        _sealer.Seal(manifest);
        _manifest = manifest;
        _folder.WriteManifest(manifest);
    }
}
