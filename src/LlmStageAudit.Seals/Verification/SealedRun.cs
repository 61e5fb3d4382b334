using System.Text.Json;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Seals.Logs;

namespace LlmStageAudit.Seals.Verification;

/// <summary>A run folder as found: its seal and its manifest, each as far as it can be read.</summary>
internal sealed class SealedRun
{
    private SealedRun(RunFolder folder, SealReading? reading, RunManifest? manifest, string? manifestFault)
    {
        (Folder, Reading, Manifest, ManifestFault) = (folder, reading, manifest, manifestFault);
        IsSealForeign = reading?.Seal is { } seal && manifest is not null && seal.RunId != manifest.RunId && BeginsWith(manifest.RunId);
        Sound = IsSealForeign ? [] : reading?.Sound ?? [];
    }

    public RunFolder Folder { get; }

    /// <summary>Null where there is no seal.</summary>
    public SealReading? Reading { get; }

    /// <summary>Null where it is gone or cannot be read.</summary>
    public RunManifest? Manifest { get; }

    /// <summary>The manifest as it stands in its file, also where it is none any more; null where it is no JSON object.</summary>
    public JsonElement? ManifestJson { get; private init; }

    /// <summary>Why the manifest cannot be read; null where it can, or is gone.</summary>
    public string? ManifestFault { get; }

    /// <summary>The seals that can be relied on.</summary>
    public IReadOnlyList<SealEntry> Sound { get; }

    /// <summary>The logs are of the manifest's run, the seal is of another.</summary>
    public bool IsSealForeign { get; }

    public bool IsSealSound => Reading is { Faults.Count: 0 } && !IsSealForeign;

    public SealEntry? Start => Sound.FirstOrDefault(entry => entry.Scope == SealScope.Start);

    public SealEntry? End => Sound.FirstOrDefault(entry => entry.Scope == SealScope.Run);

    public IEnumerable<SealEntry> Stages => Sound.Where(entry => entry is { Scope: SealScope.Stage, Log: not null });

    /// <summary>The seal's, if its first seal is chained to it; else the manifest's.</summary>
    public string? RunId =>
        Reading?.Seal is { } seal && Start?.PreviousSha256 == SealDigest.Genesis(seal.RunId) ? seal.RunId : Manifest?.RunId;

    /// <summary>How many stages the manifest calls completed.</summary>
    public int Completed => Manifest?.Stages.TakeWhile(stage => stage.State == StageState.Completed).Count() ?? 0;

    public static SealedRun Read(RunFolder folder)
    {
        var reading = Path.Exists(folder.SealPath) ? ReadSeal(folder) : null;
        if (!Path.Exists(folder.ManifestPath)) return new SealedRun(folder, reading, null, null);
        try
        {
            var manifest = folder.ReadManifest();
            // Names become paths; a changed one must not lead out of the folder.
            foreach (var (index, stage) in manifest.Stages.Index()) _ = folder.StageFolder(index, stage.Name);
            return new SealedRun(folder, reading, manifest, null) { ManifestJson = ManifestSections.Json(folder.ManifestPath) };
        }
        catch (Exception exception)
            when (exception is ArtifactException or ArgumentException or JsonException or IOException or UnauthorizedAccessException)
        {
            return new SealedRun(
                folder, reading, null, SealFile.Reason(exception.Message, folder.ManifestPath))
            { ManifestJson = ReadJson(folder) };
        }
    }

    public string NameOf(string path) => SealPaths.Within(Folder.Root, path);

    private static SealReading ReadSeal(RunFolder folder)
    {
        try
        {
            return SealFile.Read(folder.SealPath);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new SealReading(null, [], [new SealFault(null, $"it cannot be read ({exception.Message})")]);
        }
    }

    private static JsonElement? ReadJson(RunFolder folder)
    {
        try
        {
            return ManifestSections.Json(folder.ManifestPath) is { ValueKind: JsonValueKind.Object } json ? json : null;
        }
        catch (Exception exception) when (exception is JsonException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private bool BeginsWith(string runId)
    {
        if (Manifest!.Stages is not [var first, ..]) return false;
        var path = Folder.TrajectoryPath(0, first.Name);
        if (!File.Exists(path)) return false;
        using var log = new LogFile(path);
        return log.SkipAt(TrajectoryFrame.PreambleBytes) is { } record
            && log.HashOf(
                    TrajectoryFrame.GenesisHash(TrajectoryGenesis.Of(runId, first.Name)),
                    TrajectoryFrame.PreambleBytes,
                    record.End - TrajectoryFrame.HashBytes)
                .AsSpan().SequenceEqual(record.Hash);
    }
}
