using System.Globalization;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Runs;

/// <summary>
/// The files of a run, and the only place that spells their names:
/// <code>
/// manifest.json                       what the run is and how far it came
/// seal.json                           what the files below must hold, to the byte; chained from stage to stage
/// seal.json.sig                       an SSH signature of the seal
/// initial/                            the trainable state before the first stage
/// stages/01-NAME/state/               the trainable state at the stage's end: a PEFT folder, or a model folder
/// stages/01-NAME/trajectory.log       every step of the stage
/// effects/ID.json  rankings/ID.json   results, one per probe and method, or ranking
/// progress/ID/                        how far an attribution came that is not complete
/// verifications/ID.json               predicted against retrained
/// comparisons/PROBE.LEVEL.json        estimators against retraining
/// report.html
/// seeds/SEED/                         the same run under another seed
/// plan.json  plan.runs/               a retraining plan, and its runs with a stage left out
/// </code>
/// </summary>
public sealed class RunFolder
{
    private const string ManifestName = "manifest.json";
    private const string SealName = "seal.json";

    private RunFolder(string path) => Root = path;

    /// <summary>The folder, absolute.</summary>
    public string Root { get; }

    /// <summary>What makes a folder a run: see <see cref="RunManifest"/>.</summary>
    public string ManifestPath => Within(ManifestName);

    internal string LockPath => Within("run.lock");

    /// <summary>Who holds the lock, for the message to whoever is refused.</summary>
    internal string HolderPath => Within("run.holder");

    /// <summary>Hashes of what the files of the run must hold.</summary>
    public string SealPath => Within(SealName);

    /// <summary>SSH signature of the seal.</summary>
    public string SignaturePath => Within($"{SealName}.sig");

    /// <summary>The trainable state before the first stage.</summary>
    public string InitialFolder => Within("initial");

    /// <summary>One folder per stage, numbered in the order of the configuration.</summary>
    public string StagesFolder => Within("stages");

    /// <summary>Where effects are filed, one JSON file per id.</summary>
    public string EffectsFolder => Within("effects");

    /// <summary>Where rankings are filed, one JSON file per id.</summary>
    public string RankingsFolder => Within("rankings");

    /// <summary>Where verifications are filed, one JSON file per id.</summary>
    public string VerificationsFolder => Within("verifications");

    /// <summary>Where a plan goes that is not told otherwise.</summary>
    public string PlanPath => Within("plan.json");

    /// <summary>Where the HTML report goes that is not told otherwise.</summary>
    public string ReportPath => Within("report.html");

    /// <summary>Makes the folder, which must not exist or be empty.</summary>
    /// <exception cref="RunFolderException">Something is there, or it cannot be made.</exception>
    public static RunFolder Create(string path)
    {
        CheckIsFree(path);
        var folder = new RunFolder(Path.GetFullPath(path));
        return Guarded(path, () =>
        {
            DurableFolder.Create(folder.Root);
            return folder;
        });
    }

    /// <summary>Fails where <see cref="Create"/> would, without making anything: to be asked before long preparations.</summary>
    /// <exception cref="RunFolderException">Something is there.</exception>
    public static void CheckIsFree(string path)
    {
        var folder = new RunFolder(Path.GetFullPath(path));
        if (File.Exists(folder.Root)) throw RunFolderException.IsAFile(path);
        if (!folder.IsUsed()) return;
        if (FileLock.HolderOf(folder.LockPath, folder.HolderPath) is { } holder) throw RunFolderException.InUse(path, holder);
        throw RunFolderException.NotEmpty(path, isRun: File.Exists(folder.ManifestPath));
    }

    /// <summary>
    /// Fails where a run has come here since <see cref="Create"/>; clears away what a writer left that was killed before its run had a
    /// manifest. Only for the holder of the <see cref="RunLock"/>.
    /// </summary>
    /// <exception cref="RunFolderException">Something is there.</exception>
    public void Occupy()
    {
        if (IsUsed()) throw RunFolderException.NotEmpty(Root, isRun: File.Exists(ManifestPath));
        if (Directory.Exists(InitialFolder)) StorageException.Guard(InitialFolder, () => Directory.Delete(InitialFolder, recursive: true));
        ClearLeftovers();
    }

    /// <summary>Clears away what a writer that was killed left half written. Only for the holder of the <see cref="RunLock"/>.</summary>
    public void ClearLeftovers()
    {
        PartialName.ClearAll(Root);
        if (!Directory.Exists(StagesFolder)) return;
        PartialName.ClearAll(StagesFolder);
        foreach (var stage in Directory.GetDirectories(StagesFolder)) PartialName.ClearAll(stage);
    }

    /// <summary>Opens the folder of a run that exists.</summary>
    /// <exception cref="RunFolderException">
    /// There is no folder, it holds no manifest, a link in it leads out of it, or anybody may write in it.
    /// </exception>
    public static RunFolder Open(string path)
    {
        var folder = new RunFolder(Path.GetFullPath(path));
        if (!Directory.Exists(folder.Root)) throw RunFolderException.Missing(path);
        if (!File.Exists(folder.ManifestPath)) throw RunFolderException.NotARun(path, ManifestName);
        folder.CheckBoundary(path);
        return folder;
    }

    /// <summary>Refuses a folder that is not its owner's alone.</summary>
    /// <param name="shown">The path as the user gave it; null for the full one.</param>
    /// <exception cref="RunFolderException">A link leads out of the folder, or every user of the machine may write in it.</exception>
    internal void CheckBoundary(string? shown = null)
    {
        if (Guarded(shown ?? Root, () => FolderBoundary.Fault(Root)) is { } found)
            throw RunFolderException.NotItsOwn(shown ?? Root, found.Found, found.Remedy);
    }

    /// <summary>As <see cref="Open"/>, also where the manifest is gone and only the seal says that a run was here.</summary>
    /// <exception cref="RunFolderException">There is no folder, or it holds neither a manifest nor a seal.</exception>
    public static RunFolder OpenSealed(string path) =>
        File.Exists(Path.Combine(path, SealName)) ? new RunFolder(Path.GetFullPath(path)) : Open(path);

    /// <summary>A text as an id that names a result: what a file name may not hold becomes a dash.</summary>
    public static string IdFrom(string text) => ConfigurationName.From(text);

    /// <summary>Whether <see cref="Open"/> would take it.</summary>
    public static bool IsRun(string path) => File.Exists(Path.Combine(path, ManifestName));

    /// <summary>The run a stage's log lies in, with that stage; null where the file lies in none.</summary>
    public static (RunManifest Run, StageResult Stage)? Around(string logPath)
    {
        var full = Path.GetFullPath(logPath);
        if (Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(full))) is not { } root || !IsRun(root)) return null;
        var folder = Open(root);
        var run = folder.ReadManifest();
        return run.Stages.FirstOrDefault(stage => folder.TrajectoryPath(stage.Index, stage.Name) == full) is { } found
            ? (run, found)
            : null;
    }

    /// <summary>The folder of a stage, by its name and its index in the configuration, from 0.</summary>
    public string StageFolder(int index, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return Path.Combine(StagesFolder, string.Create(CultureInfo.InvariantCulture, $"{index + 1:00}-{Checked(name)}"));
    }

    /// <summary>The trainable state at a stage's end: a PEFT folder, or a model folder.</summary>
    public string StageStateFolder(int index, string name) => Path.Combine(StageFolder(index, name), "state");

    /// <summary>Where the final trainable state lies; the initial one where the run had no stage left to train.</summary>
    public string FinalStateFolder(RunManifest manifest) =>
        manifest.Stages.LastOrDefault() is { } last ? StageStateFolder(last.Index, last.Name) : InitialFolder;

    /// <summary>The log of a stage's steps.</summary>
    public string TrajectoryPath(int index, string name) => Path.Combine(StageFolder(index, name), "trajectory.log");

    /// <summary>Where the effects of this id are filed.</summary>
    /// <param name="id">Letters, digits, '.', '-' and '_', such as a probe's name.</param>
    public string EffectsPath(string id) => Filed(EffectsFolder, id);

    /// <summary>How far an attribution came, until the effects of this id are there.</summary>
    public string ProgressFolder(string id) => Path.Combine(Within("progress"), Checked(id));

    /// <summary>Where the block scores of this id are filed: scores of all sets of consecutive steps, by probe and estimator.</summary>
    public string BlockScoresPath(string id) => Filed(Within("blocks"), id);

    /// <summary>Where the same run under another seed lies: a run folder.</summary>
    public string SeedFolder(long seed) => Path.Combine(Within("seeds"), seed.ToString(CultureInfo.InvariantCulture));

    /// <summary>Where the ranking of this id is filed.</summary>
    public string RankingsPath(string id) => Filed(RankingsFolder, id);

    /// <summary>Where the verification of this id is filed.</summary>
    public string VerificationPath(string id) => Filed(VerificationsFolder, id);

    /// <summary>Where the comparison of this id is filed.</summary>
    public string ComparisonPath(string id) => Filed(Within("comparisons"), id);

    /// <summary>Reads the manifest and checks that what it names lies in the confinement.</summary>
    /// <exception cref="ArtifactException">The manifest is damaged or of a newer version.</exception>
    /// <exception cref="ConfigurationException">The manifest names a path outside the <see cref="Confinement"/>.</exception>
    public RunManifest ReadManifest()
    {
        var manifest = ArtifactJson.Read<RunManifest>(ManifestPath);
        CheckConfined(manifest);
        return manifest;
    }

    /// <summary>Replaces the manifest, whole or not at all; on disk when this returns.</summary>
    public void WriteManifest(RunManifest manifest) => ArtifactJson.Write(ManifestPath, manifest);

    internal static T Guarded<T>(string path, Func<T> use)
    {
        try
        {
            return use();
        }
        catch (IOException exception) when (StorageException.IsFault(exception))
        {
            throw StorageException.Of(path, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw RunFolderException.Unusable(path, exception);
        }
    }

    private string Within(string name) => Path.Combine(Root, name);

    private static string Filed(string folder, string id) => Path.Combine(folder, $"{Checked(id)}.json");

    // Names come from checked configurations; this keeps a changed manifest from leading out of the folder.
    private static string Checked(string name) =>
        name.Length > 0 && name.All(ConfigurationName.IsAllowed) ? name : throw RunFolderException.NoFileName(name);

    private void CheckConfined(RunManifest manifest)
    {
        var configuration = manifest.Configuration;
        Check("model.path", configuration.Model.Path);
        Check("adapter.recipe", configuration.Adapter?.Recipe);
        Check("adapter.initFrom", configuration.Adapter?.InitFrom);
        foreach (var stage in configuration.Stages) Check($"stages.{stage.Name}.data.path", stage.Dataset.Path);
        foreach (var probe in configuration.Probes) Check("probes", probe);
        foreach (var input in manifest.Inputs) Check("inputs", input.Path);

        void Check(string key, string? path) => Confinement.Check($"{ManifestPath}: {key}", path);
    }

    // A run is one once it has a manifest. Killed before, it leaves its lock and its first state, which nothing can be lost with.
    private bool IsOnlyBegun => File.Exists(LockPath) && !File.Exists(ManifestPath);

    private bool IsUsed() => Guarded(Root, () => Directory.Exists(Root) && Directory.EnumerateFileSystemEntries(Root).Any(IsContent));

    private bool IsContent(string entry) =>
        entry != LockPath && entry != HolderPath && !entry.EndsWith(PartialName.Extension, StringComparison.Ordinal)
        && !(entry == InitialFolder && IsOnlyBegun);
}

/// <summary>Keeps a run folder to one writer.</summary>
public static class RunLock
{
    /// <summary>Locks a run folder without waiting; the result is disposed to let go.</summary>
    /// <exception cref="RunFolderException">Another process, or this one, holds it already; the message says which.</exception>
    /// <exception cref="StorageException">The disk is full or fails.</exception>
    public static FileLock Acquire(RunFolder folder)
    {
        string? holder = null;
        return RunFolder.Guarded(folder.Root, () => FileLock.TryAcquire(folder.LockPath, folder.HolderPath, out holder))
            ?? throw RunFolderException.InUse(folder.Root, holder!);
    }
}
