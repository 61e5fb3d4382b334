using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Training.Stages;

namespace LlmStageAudit.Training.Runs;

/// <summary>A completed run, opened to be replayed or evaluated: its materials, its saved states, its log.</summary>
/// <param name="folder">Where it lies.</param>
/// <param name="manifest">What it says of itself.</param>
/// <param name="materials">Its model and data, as when it began; disposed with this.</param>
public sealed class TrainedRun(RunFolder folder, RunManifest manifest, RunMaterials materials) : ITrajectory, IDisposable
{
    /// <summary>Where it lies.</summary>
    public RunFolder Folder => folder;

    /// <summary>What the run says of itself.</summary>
    public RunManifest Manifest => manifest;

    /// <summary>Its model and data, as when it began; disposed with it.</summary>
    public RunMaterials Materials => materials;

    /// <summary>As the manifest records it.</summary>
    public RunConfiguration Configuration => Manifest.Configuration;

    /// <summary>Its model; disposed with it.</summary>
    public LanguageModel Model => Materials.Model;

    /// <inheritdoc/>
    public IReadOnlyList<StageProgram> Programs => Materials.Programs;

    /// <summary>Opens a completed run; the caller disposes it.</summary>
    /// <param name="path">The run folder.</param>
    /// <param name="device">Where to compute; null: the CPU.</param>
    /// <exception cref="AuditException">No run, not completed, or its inputs have changed.</exception>
    public static TrainedRun Open(string path, Device? device = null)
    {
        var folder = RunFolder.Open(path);
        var manifest = folder.ReadManifest();
        if (manifest.State != RunState.Completed) throw TrainingException.NotCompleted(path, manifest.State);
        RunInputs.Check(manifest.Inputs);
        return new TrainedRun(folder, manifest, RunMaterials.Restore(manifest.Configuration, folder.InitialFolder, device));
    }

    /// <summary>The stage's place in the run.</summary>
    /// <exception cref="TrainingException">No stage has that name.</exception>
    public int StageIndex(string name)
    {
        string[] names = [.. Programs.Select(program => program.Name)];
        var index = Array.IndexOf(names, name);
        return index >= 0 ? index : throw TrainingException.UnknownStage(Folder.Root, name, names);
    }

    /// <summary>
    /// The saved trainable state before a stage, [N], in the current dispose scope; index = stage count gives the final state.
    /// </summary>
    public Tensor StateBefore(int stageIndex) => Materials.StateBefore(stageIndex, Folder);

    /// <summary>The final trainable state [N], in the current dispose scope.</summary>
    public Tensor FinalState() => StateBefore(Programs.Count);

    /// <inheritdoc/>
    public IStageGradients OpenGradients(int stageIndex) => OpenLog(stageIndex);

    /// <summary>The log of a stage; the caller disposes it.</summary>
    /// <exception cref="AuditException">It is damaged, or not of this run.</exception>
    public StageLog OpenLog(int stageIndex) => StageLog.Open(Folder, Manifest.RunId, Materials, stageIndex);

    /// <inheritdoc/>
    public void Dispose() => Materials.Dispose();
}
