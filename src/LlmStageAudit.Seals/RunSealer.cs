using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Seals.Findings;

namespace LlmStageAudit.Seals;

/// <summary>
/// Keeps a run's seal ahead of its manifest by exactly one write. At a stage's end things reach the disk in this order: the log, the
/// state, the seal, the manifest that calls the stage completed; at the run's end the seal, then the manifest whose bytes it pins. So
/// nothing is ever called completed that is not sealed, and a run that broke off between the two writes has a seal that knows one thing
/// more than the manifest. Going on makes that thing again from the log and seals it again. A log that then ends otherwise is refused.
/// </summary>
public sealed class RunSealer
{
    private readonly RunFolder _folder;
    private readonly List<SealEntry> _entries;
    private int _confirmedStages;

    private RunSealer(RunFolder folder, List<SealEntry> entries, int confirmedStages) =>
        (_folder, _entries, _confirmedStages) = (folder, entries, confirmedStages);

    /// <summary>
    /// Seals the start of a new run. Of one that goes on, checks the seal and what is trained on from: the initial state and that of the
    /// last completed stage. A run without a seal is sealed as far as its logs' chains and its states' hashes prove its manifest.
    /// </summary>
    /// <param name="folder">Held by the caller's lock.</param>
    /// <param name="manifest">As it lies in the folder.</param>
    /// <exception cref="SealException">The folder is not what was sealed, or not what its manifest says.</exception>
    public static RunSealer Open(RunFolder folder, RunManifest manifest)
    {
        var completed = CompletedStages(manifest);
        var entries = File.Exists(folder.SealPath) ? ReadEntries(folder, manifest, completed) : Prove(folder, manifest, completed);
        return new RunSealer(folder, entries, completed);
    }

    /// <summary>Seals whatever a manifest newly calls completed. To be called before that manifest is written.</summary>
    /// <exception cref="SealException">A log or a state is not what the manifest says.</exception>
    public void Seal(RunManifest manifest)
    {
        var before = _entries.Count == 0 ? null : _entries[^1].Sha256;
        for (; _confirmedStages < CompletedStages(manifest); _confirmedStages++) SealStage(manifest, _confirmedStages);
        if (manifest.State == RunState.Completed && _entries[^1].Scope != SealScope.Run)
            _entries.Add(SealEntries.OfRun(_folder, manifest, _entries[^1]));
        if (_entries[^1].Sha256 != before) Write(_folder, manifest, _entries);
    }

    private void SealStage(RunManifest manifest, int index)
    {
        var entry = SealEntries.OfStage(_folder, manifest, index, _entries[index], proveLog: false);
        if (_entries.Count > index + 1)
        {
            // Sealed before the run broke off. Its log must still be that one; without gradients the stage was trained anew.
            var earlier = _entries[index + 1].Log!;
            if (earlier.GradientBytes > 0 && earlier.HeadSha256 != entry.Log!.HeadSha256)
                throw SealException.Differs(_folder.TrajectoryPath(index, entry.Stage!), $"the log of stage '{entry.Stage}'");
            _entries.RemoveRange(index + 1, _entries.Count - index - 1);
        }

        _entries.Add(entry);
    }

    private static List<SealEntry> ReadEntries(RunFolder folder, RunManifest manifest, int completed)
    {
        var reading = ReadFile(folder);
        if (reading.Faults.Count > 0) throw SealException.Damaged(folder.SealPath, reading.Faults[0].Found);
        var entries = reading.Seal!.Seals.ToList();
        // The seal of a run's end pins a manifest that was never written then: it is made again with that manifest.
        if (reading.Seal.IsFinal()) entries.RemoveAt(entries.Count - 1);
        if (reading.Seal.RunId != manifest.RunId) throw SealException.Differs(folder.ManifestPath, "runId");
        if (entries.Count - 1 < completed || entries.Count - 1 > completed + 1)
            throw SealException.Damaged(
                folder.SealPath, $"it covers {entries.Count - 1} stages; the manifest says {completed} are completed");
        var found = ManifestSections.Json(folder.ManifestPath);
        CheckSections(folder, entries[0].Manifest, ManifestSections.OfStart(found));
        for (var index = 0; index < completed; index++)
            CheckSections(folder, entries[index + 1].Manifest, ManifestSections.OfStage(found, index));
        foreach (var file in entries[0].Files.Concat(entries[completed].Files).Distinct()) CheckFile(folder, file);
        return entries;
    }

    private static List<SealEntry> Prove(RunFolder folder, RunManifest manifest, int completed)
    {
        var entries = new List<SealEntry> { SealEntries.OfStart(folder, manifest) };
        for (var index = 0; index < completed; index++)
            entries.Add(SealEntries.OfStage(folder, manifest, index, entries[^1], proveLog: true));
        Write(folder, manifest, entries);
        return entries;
    }

    private static SealReading ReadFile(RunFolder folder)
    {
        try
        {
            return SealFile.Read(folder.SealPath);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw SealException.Unreadable(folder.SealPath, exception);
        }
    }

    private static void CheckSections(RunFolder folder, IReadOnlyList<SealedSection> expected, IReadOnlyList<SealedSection> found)
    {
        if (SealedSections.Difference(expected, found) is [var field, ..]) throw SealException.Differs(folder.ManifestPath, field);
    }

    private static void CheckFile(RunFolder folder, SealedFile file)
    {
        var path = SealPaths.Below(folder.Root, file.Path);
        if (!File.Exists(path)) throw SealException.Differs(path, "its absence");
        if (ContentHash.OfFile(path) != file.Sha256) throw SealException.Differs(path, "its content");
    }

    private static void Write(RunFolder folder, RunManifest manifest, IReadOnlyList<SealEntry> entries) =>
        ArtifactJson.Write(folder.SealPath, SealEntries.Join(manifest.RunId, entries));

    private static int CompletedStages(RunManifest manifest) =>
        manifest.Stages.TakeWhile(stage => stage.State == StageState.Completed).Count();
}
