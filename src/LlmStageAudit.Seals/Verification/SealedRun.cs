using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Seals.Verification;

/// <summary>A run folder as found: its seal and its manifest, each as far as it can be read.</summary>
internal sealed class SealedRun
{
    private SealedRun(RunFolder folder, SealReading? reading, RunManifest? manifest, string? manifestFault)
    {
        (Folder, Reading, Manifest, ManifestFault) = (folder, reading, manifest, manifestFault);
        IsSealForeign = reading?.Seal is { } seal && manifest is not null && seal.RunId != manifest.RunId && IsLogOf(manifest);
        Sound = IsSealForeign ? [] : reading?.Sound ?? [];
    }

    public RunFolder Folder { get; }

    /// <summary>Null where there is no seal.</summary>
    public SealReading? Reading { get; }

    /// <summary>Null where it is gone or cannot be read.</summary>
    public RunManifest? Manifest { get; }

    /// <summary>Why the manifest cannot be read; null where it can, or is gone.</summary>
    public string? ManifestFault { get; }

    /// <summary>The seals that can be relied on.</summary>
    public IReadOnlyList<SealEntry> Sound { get; }

    /// <summary>The logs are of the manifest's run, the seal is of another.</summary>
    public bool IsSealForeign { get; }

    public bool IsSealSound => Reading is { Fault: null } && !IsSealForeign;

    public SealEntry? Start => Sound.FirstOrDefault(entry => entry.Scope == SealScope.Start);

    public SealEntry? End => Sound.FirstOrDefault(entry => entry.Scope == SealScope.Run);

    public IEnumerable<SealEntry> Stages =>
        Sound.Where(entry => entry is { Scope: SealScope.Stage, Stage: not null, StageIndex: >= 0, Log: not null });

    /// <summary>The seal's, if its first seal is chained to it; else the manifest's.</summary>
    public string? RunId =>
        Reading?.Seal is { } seal && Start?.PreviousSha256 == SealFile.Genesis(seal.RunId) ? seal.RunId : Manifest?.RunId;

    /// <summary>How many stages the manifest calls completed.</summary>
    public int Completed => Manifest is null ? 0 : CompletedOf(Manifest);

    public static int CompletedOf(RunManifest manifest) => manifest.Stages.TakeWhile(stage => stage.State == StageState.Completed).Count();

    public static SealedRun Read(RunFolder folder)
    {
        var reading = Path.Exists(folder.SealPath) ? SealFile.Read(folder.SealPath) : null;
        if (!Path.Exists(folder.ManifestPath)) return new SealedRun(folder, reading, null, null);
        try
        {
            var manifest = folder.ReadManifest();
            // Names become paths; a changed one must not lead out of the folder.
            foreach (var (index, stage) in manifest.Stages.Index()) _ = folder.StageFolder(index, stage.Name);
            return new SealedRun(folder, reading, manifest, null);
        }
        catch (Exception exception) when (exception is ArtifactException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            return new SealedRun(folder, reading, null, SealFile.Reason(exception, folder.ManifestPath));
        }
    }

    public string NameOf(string path) => SealPaths.Within(Folder.Root, path);

    private bool IsLogOf(RunManifest manifest)
    {
        if (manifest.Stages is not [var first, ..]) return false;
        var path = Folder.TrajectoryPath(0, first.Name);
        if (!File.Exists(path)) return false;
        using var log = new LogFile(path);
        return log.BeginsWith(TrajectoryGenesis.Of(manifest.RunId, first.Name));
    }
}
