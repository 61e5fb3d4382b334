using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Seals.Verification;

namespace LlmStageAudit.Seals.Sealing;

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
    /// Seals the start of a new run. Of one that goes on, checks seal, manifest and what is trained on from: the initial state and that of
    /// the last completed stage.
    /// </summary>
    /// <param name="folder">Held by the caller's lock; its manifest lies in it.</param>
    /// <exception cref="SealException">The folder is not what was sealed, or not what its manifest says.</exception>
    public static RunSealer Open(RunFolder folder)
    {
        var run = SealedRun.Read(folder);
        Demand(folder, new ManifestExaminer(run).Examine(isGoingOn: true));
        if (run.Reading is null)
        {
            var start = SealEntries.OfStart(run.Manifest!, SealEntries.Pin(folder, folder.InitialFolder));
            var begun = new RunSealer(folder, [start], confirmedStages: 0);
            begun.Write(run.Manifest!);
            return begun;
        }

        // The seal of a run's end pins a manifest that was never written then: it is made again with that manifest.
        var entries = run.Sound.Where(entry => entry.Scope != SealScope.Run).ToList();
        if (entries.Count <= run.Completed)
            throw SealException.Differs(
                folder.SealPath, $"it covers {entries.Count - 1} stages; the manifest says {run.Completed} are completed");
        Demand(folder, new FileExaminer(folder, entries[0].Files.Concat(entries[run.Completed].Files)).Examine(CancellationToken.None));
        return new RunSealer(folder, entries, run.Completed);
    }

    /// <summary>Seals whatever a manifest newly calls completed. To be called before that manifest is written.</summary>
    /// <exception cref="SealException">A log or a state is not what the manifest says.</exception>
    public void Seal(RunManifest manifest)
    {
        var before = _entries[^1].Sha256;
        for (; _confirmedStages < SealedRun.CompletedOf(manifest); _confirmedStages++) SealStage(manifest, _confirmedStages);
        if (manifest.State == RunState.Completed && _entries[^1].Scope != SealScope.Run)
            _entries.Add(SealEntries.OfRun(manifest, _entries[^1]));
        if (_entries[^1].Sha256 != before) Write(manifest);
    }

    private void SealStage(RunManifest manifest, int index)
    {
        var stage = manifest.Stages[index];
        var stateFolder = _folder.StageStateFolder(index, stage.Name);
        var state = SealEntries.Pin(_folder, stateFolder);
        if (state.All(file => file.Sha256 != stage.StateSha256))
            throw SealException.Differs(stateFolder, $"the state of stage '{stage.Name}' is not what was sealed");
        var path = _folder.TrajectoryPath(index, stage.Name);
        var log = SealEntries.PinLog(path, SealPaths.Within(_folder.Root, path), TrajectoryGenesis.Of(manifest.RunId, stage.Name), stage);
        if (_entries.Count > index + 1)
        {
            // Sealed before the run broke off. Its log must still be that one; without gradients the stage was trained anew.
            var earlier = _entries[index + 1].Log!;
            if (earlier.GradientBytes > 0 && earlier.HeadSha256 != log.HeadSha256)
                throw SealException.Differs(path, $"the log of stage '{stage.Name}' is not what was sealed");
            _entries.RemoveRange(index + 1, _entries.Count - index - 1);
        }

        _entries.Add(SealEntries.OfStage(manifest, index, state, log, _entries[index]));
    }

    private void Write(RunManifest manifest) => ArtifactJson.Write(_folder.SealPath, SealEntries.Join(manifest.RunId, _entries));

    private static void Demand(RunFolder folder, IEnumerable<RunFinding> findings)
    {
        if (findings.FirstOrDefault() is { } finding)
            throw SealException.Differs(SealPaths.Below(folder.Root, finding.File), finding.Message);
    }
}
