using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Seals.Findings;
using LlmStageAudit.Seals.Logs;

namespace LlmStageAudit.Seals.Verification;

/// <summary>
/// Checks that a run is what its training left: the seal in itself, the manifest, every sealed file and every record of every log
/// against the seal, and the input files against the manifest. Needs no model and computes nothing but hashes.
/// </summary>
public sealed class RunVerifier
{
    private readonly SealedRun _run;
    private readonly CancellationToken _cancellation;
    private readonly List<RunFinding> _findings = [];
    private readonly List<string> _notes = [];
    private int _records;

    private RunVerifier(SealedRun run, CancellationToken cancellation) => (_run, _cancellation) = (run, cancellation);

    /// <summary>Holds everything in a run folder against its seal.</summary>
    /// <param name="folder">See <see cref="RunFolder.OpenSealed"/>.</param>
    /// <param name="demandInputs">Whether an input file that is not on this machine is a finding.</param>
    /// <param name="cancellation">Asked between records or files.</param>
    /// <exception cref="SealException">The seal or the manifest is there and cannot be read.</exception>
    public static RunVerification Verify(RunFolder folder, bool demandInputs, CancellationToken cancellation)
    {
        try
        {
            return new RunVerifier(SealedRun.Read(folder), cancellation).Verify(demandInputs);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw SealException.Unreadable(folder.Root, exception);
        }
    }

    private RunVerification Verify(bool demandInputs)
    {
        var manifest = new ManifestExaminer(_run);
        _findings.AddRange(manifest.Examine());
        VerifyFiles();
        VerifyLogs();
        VerifyOpenStage();
        var (compared, absent, findings) = InputExaminer.Examine(TrustedInputs(), demandInputs, _cancellation);
        _findings.AddRange(findings);
        var coverage = Coverage(manifest.IsBeforeLastWrite);
        AddNotes(coverage, manifest.IsBeforeLastWrite);
        return new RunVerification
        {
            Coverage = coverage,
            Stages = (_run.Stages.Count(), _run.Manifest?.Stages.Count ?? _run.Stages.Count()),
            SealSha256 = _run.Reading?.Seal?.Sha256,
            Records = _records,
            InputsChecked = compared,
            InputsAbsent = absent,
            Findings = _findings,
            Notes = _notes,
        };
    }

    private void VerifyFiles()
    {
        var files = new FileExaminer(_run.Folder, _run.Sound.Where(entry => entry.Scope != SealScope.Run).SelectMany(entry => entry.Files));
        _findings.AddRange(files.Examine(_cancellation));
        // What a damaged seal does not name might have been named.
        if (_run.IsSealSound)
            _findings.AddRange(files.FindUnpinned(
                [.. _run.Stages.Select(entry => entry.Log!.Path)],
                OpenStage() is { } open ? _run.NameOf(open.Folder) : null));
    }

    private void VerifyLogs()
    {
        if (_run.RunId is not { } runId) return;
        var origins = new LogOrigins(_run.Stages.Select(entry => entry.Log!));
        foreach (var entry in _run.Stages) VerifyLog(entry.Log!, TrajectoryGenesis.Of(runId, entry.Stage!), origins);
        if (_run.Manifest is not { } manifest || _run.IsSealSound) return;

        // Where seals are lacking, the manifest still says how the logs end and what the states are.
        for (var index = 0; index < _run.Completed; index++)
        {
            var stage = manifest.Stages[index];
            if (_run.Stages.Any(entry => entry.StageIndex == index)) continue;
            VerifyLog(LogOf(manifest, index), TrajectoryGenesis.Of(runId, stage.Name), origins);
            var state = _run.Folder.StageStateFolder(index, stage.Name);
            if (SealPaths.FilesBelow(_run.Folder.Root, state)
                    .All(file => ContentHash.OfFile(SealPaths.Below(_run.Folder.Root, file)) != stage.StateSha256))
                _findings.Add(new RunFinding(
                    _run.NameOf(state), null, null, FindingKind.Changed,
                    $"no file in it has the SHA-256 {stage.StateSha256} that the manifest gives"));
        }
    }

    private void VerifyLog(SealedLog log, string genesis, LogOrigins origins)
    {
        var examination = LogExaminer.Examine(SealPaths.Below(_run.Folder.Root, log.Path), log, genesis, origins, _cancellation);
        _records += examination.Records;
        _findings.AddRange(examination.Findings);
    }

    private SealedLog LogOf(RunManifest manifest, int index)
    {
        var stage = manifest.Stages[index];
        var isHash = SealedLogs.IsHash(stage.TrajectoryHead);
        return new SealedLog
        {
            Path = _run.NameOf(_run.Folder.TrajectoryPath(index, stage.Name)),
            Records = Math.Max(0, stage.Steps),
            SizeBytes = -1,
            GradientBytes = manifest.Configuration.Trajectory.Gradients
                ? (int)Math.Clamp(manifest.ParameterCount * sizeof(float), 0, int.MaxValue)
                : 0,
            HeadSha256 = isHash ? stage.TrajectoryHead! : new string('0', 64),
            MarkInterval = Math.Max(1, stage.Steps) + 1,
            Marks = [],
        };
    }

    /// <summary>The log that is being written, or was when the run broke off.</summary>
    private void VerifyOpenStage()
    {
        if (_run.RunId is not { } runId || OpenStage() is not { } open || !File.Exists(open.Log)) return;
        var examination = LogExaminer.ExamineUnfinished(
            open.Log, _run.NameOf(open.Log), TrajectoryGenesis.Of(runId, open.Name), _cancellation);
        _findings.AddRange(examination.Findings);
        if (examination.Records > 0) _notes.Add($"stage '{open.Name}' is not sealed yet: {examination.Records} records so far");
    }

    private (string Name, string Folder, string Log)? OpenStage()
    {
        var index = _run.Stages.Count();
        if (_run.Manifest is not { } manifest || manifest.State == RunState.Completed
                || _run.End is not null || index >= manifest.Stages.Count)
            return null;
        var name = manifest.Stages[index].Name;
        return (name, _run.Folder.StageFolder(index, name), _run.Folder.TrajectoryPath(index, name));
    }

    /// <summary>Inputs whose records in the manifest nobody changed.</summary>
    private IEnumerable<InputRecord> TrustedInputs()
    {
        if (_run.Manifest is not { } manifest || _run.ManifestJson is not { } json) return [];
        if ((_run.End ?? _run.Start)?.Manifest is not { } expected) return manifest.Inputs;
        var changed = SealedSections.Difference(expected, ManifestSections.All(json)).ToHashSet();
        return manifest.Inputs.Where((_, index) => !changed.Contains(ManifestSections.InputField(index)));
    }

    private SealCoverage Coverage(bool isBeforeLastWrite)
    {
        if (_run.Reading?.Seal is null || _run.IsSealForeign) return SealCoverage.None;
        return _run.End is not null && !isBeforeLastWrite ? SealCoverage.Whole : SealCoverage.Partial;
    }

    private void AddNotes(SealCoverage coverage, bool isBeforeLastWrite)
    {
        if (isBeforeLastWrite) _notes.Add($"the run broke off just before its end; `{Setting.ResumedTraining}` finishes it");
        if (_run.Reading is null && _run.Completed == 0) _notes.Add("nothing is sealed yet: the run has not completed a stage");
        if (!_run.IsSealSound && _run.Reading is not null)
            _notes.Add("the seal is not this run's whole seal: what it does not pin was held against the manifest alone");
        if (coverage == SealCoverage.Partial && _run.IsSealSound && !isBeforeLastWrite && _run.Manifest is { } manifest)
            _notes.Add($"the run is not finished: {_run.Stages.Count()} of {manifest.Stages.Count} stages are sealed");
    }
}
