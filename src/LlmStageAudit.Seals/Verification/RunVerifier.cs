using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;

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
        if (_run.RunId is { } runId)
            foreach (var entry in _run.Stages) VerifyLog(entry.Log!, TrajectoryGenesis.Of(runId, entry.Stage!));

        var (compared, absent) = VerifyInputs(demandInputs);
        var coverage = Coverage(manifest.IsBeforeLastWrite);
        AddNotes(coverage, manifest.IsBeforeLastWrite);
        var stages = (_run.Stages.Count(), _run.Manifest?.Stages.Count ?? _run.Stages.Count());
        return new RunVerification(coverage, stages, _run.Reading?.Seal?.Sha256, _records, compared, absent, _findings, _notes);
    }

    private void VerifyFiles()
    {
        var files = new FileExaminer(_run.Folder, _run.Sound.Where(entry => entry.Scope != SealScope.Run).SelectMany(entry => entry.Files));
        _findings.AddRange(files.Examine(_cancellation));
        // What a damaged seal does not name might have been named.
        if (_run.IsSealSound)
            _findings.AddRange(files.FindUnpinned([.. _run.Stages.Select(entry => entry.Log!.Path)], OpenFolder()));
    }

    private void VerifyLog(SealedLog log, string genesis)
    {
        var (records, findings) = LogExaminer.Examine(SealPaths.Below(_run.Folder.Root, log.Path), log, genesis, _cancellation);
        _records += records;
        _findings.AddRange(findings);
    }

    /// <summary>The folder of the stage that is not sealed yet; null where there is none.</summary>
    private string? OpenFolder()
    {
        var index = _run.Stages.Count();
        return _run.End is null && _run.Manifest is { State: not RunState.Completed } manifest && index < manifest.Stages.Count
            ? _run.NameOf(_run.Folder.StageFolder(index, manifest.Stages[index].Name))
            : null;
    }

    /// <summary>Compares the inputs whose records in the manifest nobody changed.</summary>
    private (int Compared, IReadOnlyList<string> Absent) VerifyInputs(bool demand)
    {
        var (compared, absent) = (0, new List<string>());
        var changed = _findings.Select(finding => finding.Field).ToHashSet();
        foreach (var (index, input) in (_run.Manifest?.Inputs ?? []).Index())
        {
            _cancellation.ThrowIfCancellationRequested();
            if (changed.Contains(ManifestSections.InputField(index))) continue;
            var isHere = File.Exists(input.Path);
            if (isHere) compared++;
            else absent.Add(input.Path);
            if ((isHere || demand) && FileExaminer.FaultOf(input) is { } fault) _findings.Add(fault);
        }

        return (compared, absent);
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
            _notes.Add("the seal is not this run's whole seal: what it does not pin was not checked");
        if (coverage == SealCoverage.Partial && _run.IsSealSound && !isBeforeLastWrite && _run.Manifest is { } manifest)
            _notes.Add($"the run is not finished: {_run.Stages.Count()} of {manifest.Stages.Count} stages are sealed");
    }
}
