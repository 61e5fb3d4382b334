using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Training.Runs;

/// <summary>
/// Refuses a run that cannot fit before anything of it is written. Nothing is measured: disk is what <see cref="RunDisk"/> foretells,
/// memory a lower bound, so that what is refused could not have worked; what passes may still turn out too large.
/// </summary>
/// <param name="limits">What the machine has.</param>
public sealed class Preflight(MachineLimits limits)
{
    /// <summary>What a file takes beyond its bytes: its last block, half full on average, its entry and its share of its folder.</summary>
    private const long OverheadPerFileBytes = 4096;

    /// <summary>Asked before the model is loaded.</summary>
    /// <param name="where">The run folder, for the message.</param>
    /// <param name="configuration">The run's.</param>
    /// <param name="device">Where it computes; null: the CPU.</param>
    /// <exception cref="TrainingException">The machine has less than the weights and the optimizer's state take.</exception>
    public void CheckMemory(string where, RunConfiguration configuration, Device? device) =>
        CheckMemory(where, "training", configuration, device);

    /// <summary>Asked when the data has been read and before the run folder is made.</summary>
    /// <exception cref="TrainingException">The file system has less room than the run takes.</exception>
    internal void CheckDisk(string where, RunMaterials materials)
    {
        var disk = RunDisk.Of(materials);
        CheckDisk(where, "the run", disk.Bytes, disk.GradientBytes, disk.Files);
    }

    /// <summary>The same for a run that goes on: what its folder holds already has its room.</summary>
    /// <exception cref="TrainingException">The file system has less room than the rest of the run takes.</exception>
    internal void CheckRest(string where, RunMaterials materials)
    {
        var disk = RunDisk.Of(materials);
        var there = new DirectoryInfo(where).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
        CheckDisk(where, "the rest of the run", Math.Max(0, disk.Bytes - there), 0, disk.Files);
    }

    /// <summary>Asked before the first of several retrainings, whose model is loaded beside the observed run's.</summary>
    /// <param name="where">The folder they go to, for the message.</param>
    /// <param name="parent">The observed run.</param>
    /// <param name="stages">The stages that are left out, by place, of the jobs that are not complete.</param>
    /// <exception cref="TrainingException">
    /// The machine has less than the weights and the optimizer's state take, or the file system less room than all of them together.
    /// </exception>
    public void CheckRetraining(string where, TrainedRun parent, IEnumerable<int> stages)
    {
        CheckMemory(where, "retraining", parent.Configuration, parent.Model.Device);
        RunDisk[] disks = [.. stages.Select(stage => RunDisk.Without(parent.Materials, parent.Folder.Root, stage))];
        // Whether the log holds gradients was settled when the run was trained.
        CheckDisk(where, "retraining", disks.Sum(disk => disk.Bytes), gradientBytes: 0, disks.Sum(disk => disk.Files));
    }

    /// <summary>
    /// Frozen weights, and float32 vectors of all trainable parameters: the initial state, a gradient, and the optimizer's state before and
    /// after an update. Activations come on top.
    /// </summary>
    internal static long MemoryFloorBytes(ModelFootprint footprint, RunConfiguration configuration)
    {
        var vectors = 2 + (2 * configuration.Stages.Select(stage => StateVectors(stage.Optimizer)).DefaultIfEmpty(0).Max());
        return footprint.FrozenBytes + (sizeof(float) * footprint.TrainableCount * vectors);
    }

    /// <summary>Vectors [N] of an optimizer's state, the parameters included.</summary>
    public static int StateVectors(OptimizerSection optimizer) => optimizer.Name == OptimizerName.AdamW ? 3 : 2;

    private void CheckMemory(string where, string what, RunConfiguration configuration, Device? device)
    {
        if (device is { type: not DeviceType.CPU }) return;
        var needed = MemoryFloorBytes(RunMaterials.Footprint(configuration), configuration);
        if (limits.AvailableMemoryBytes() is { } available && available < needed)
            throw TrainingException.TooLittleMemory(where, what, needed, available);
    }

    private void CheckDisk(string where, string what, long bytes, long gradientBytes, int files)
    {
        var needed = bytes + (files * OverheadPerFileBytes);
        if (limits.FreeDiskBytes(where) is { } free && free < needed)
            throw TrainingException.TooLittleDisk(where, what, needed, gradientBytes, free);
    }
}
