using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Seals.Findings;
using LlmStageAudit.Seals.Logs;

namespace LlmStageAudit.Seals;

/// <summary>Makes the seals of a run from what lies in its folder and what its manifest is about to say.</summary>
internal static class SealEntries
{
    public static SealEntry OfStart(RunFolder folder, RunManifest manifest) => SealDigest.Close(new SealEntry
    {
        Sequence = 1,
        Scope = SealScope.Start,
        Manifest = ManifestSections.OfStart(ManifestSections.Json(manifest)),
        Files = Pin(folder, folder.InitialFolder),
        PreviousSha256 = SealDigest.Genesis(manifest.RunId),
    });

    /// <summary>The seal of a completed stage: its result, its state and its log.</summary>
    /// <param name="folder">The run.</param>
    /// <param name="manifest">What is about to be written, with the stage's result.</param>
    /// <param name="index">The stage's place in the manifest.</param>
    /// <param name="previous">The seal it is chained to.</param>
    /// <param name="proveLog">Whether to compute every hash of the log again, where its writer is not at hand to vouch for them.</param>
    public static SealEntry OfStage(RunFolder folder, RunManifest manifest, int index, SealEntry previous, bool proveLog)
    {
        var stage = manifest.Stages[index];
        var stateFolder = folder.StageStateFolder(index, stage.Name);
        var files = Pin(folder, stateFolder);
        if (files.All(file => file.Sha256 != stage.StateSha256))
            throw SealException.Differs(stateFolder, $"the state of stage '{stage.Name}'");
        var path = folder.TrajectoryPath(index, stage.Name);
        var genesis = proveLog ? TrajectoryGenesis.Of(manifest.RunId, stage.Name) : null;
        return SealDigest.Close(new SealEntry
        {
            Sequence = index + 2,
            Scope = SealScope.Stage,
            Stage = stage.Name,
            StageIndex = index,
            Manifest = ManifestSections.OfStage(ManifestSections.Json(manifest), index),
            Files = files,
            Log = LogSealing.Seal(path, SealPaths.Within(folder.Root, path), stage.Steps, stage.TrajectoryHead ?? "", genesis),
            PreviousSha256 = previous.Sha256!,
        });
    }

    public static SealEntry OfRun(RunFolder folder, RunManifest manifest, SealEntry previous)
    {
        var bytes = SealDigest.FileBytes(manifest);
        return SealDigest.Close(new SealEntry
        {
            Sequence = previous.Sequence + 1,
            Scope = SealScope.Run,
            Manifest = ManifestSections.All(ManifestSections.Json(manifest)),
            Files =
            [
                new SealedFile
                {
                    Path = SealPaths.Within(folder.Root, folder.ManifestPath),
                    SizeBytes = bytes.Length,
                    Sha256 = ContentHash.OfBytes(bytes)
                }
            ],
            PreviousSha256 = previous.Sha256!,
        });
    }

    public static RunSeal Join(string runId, IReadOnlyList<SealEntry> entries) =>
        SealDigest.Close(new RunSeal { RunId = runId, Sequence = entries.Count, Seals = entries });

    private static SealedFile[] Pin(RunFolder folder, string path) =>
    [
        .. SealPaths.FilesBelow(folder.Root, path)
            .Select(name => (name, file: SealPaths.Below(folder.Root, name)))
            .Select(pair => new SealedFile
            {
                Path = pair.name,
                SizeBytes = new FileInfo(pair.file).Length,
                Sha256 = ContentHash.OfFile(pair.file),
            }),
    ];
}
