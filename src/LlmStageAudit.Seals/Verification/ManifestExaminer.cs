using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Seals.Verification;

/// <summary>
/// Holds the manifest against the seal: of a completed run to the byte, of one that goes on in everything that no longer changes. And
/// the seal against the manifest: a run that is called completed has a seal that says so.
/// </summary>
internal sealed class ManifestExaminer(SealedRun run)
{
    // Another version may know other fields, which count into the id.
    private static readonly string s_version = typeof(RunManifest).Assembly.GetName().Version!.ToString(3);

    private readonly List<RunFinding> _findings = [];

    /// <summary>Whether the run broke off after its last seal and before the manifest that it pins.</summary>
    public bool IsBeforeLastWrite { get; private set; }

    /// <summary>Examines seal and manifest.</summary>
    /// <param name="isGoingOn">Whether the run is about to go on, so that only what no longer changes counts.</param>
    public IReadOnlyList<RunFinding> Examine(bool isGoingOn = false)
    {
        ExamineSeal();
        if (run.Manifest is not { } manifest)
        {
            if (run.ManifestFault is { } fault) Add(FindingKind.Changed, null, $"it cannot be read as a manifest any more: {fault}");
            else Add(FindingKind.Missing, null, "the manifest is gone");
        }
        else if (run.End is { } end && !isGoingOn)
        {
            ExamineWhole(end, manifest);
        }
        else
        {
            ExamineParts(manifest);
        }

        return _findings;
    }

    private void ExamineSeal()
    {
        if (run.Reading is not { } reading)
        {
            if (run.Completed > 0 || run.Manifest?.State == RunState.Completed)
                AddSeal(FindingKind.Unsealed, null, "there is no seal: it was removed");
            return;
        }

        if (run.IsSealForeign) AddSeal(FindingKind.Foreign, "runId", $"it is the seal of another run, {reading.Seal!.RunId}");
        if (reading.Fault is { } fault) AddSeal(FindingKind.Changed, null, fault);
        if (!run.IsSealSound || run.Manifest is not { } manifest || run.End is not null) return;
        var stages = run.Stages.Count();
        var said = manifest.State == RunState.Completed ? "the run is completed"
            : run.Completed > stages ? $"{run.Completed} stages are completed"
            : null;
        if (said is not null)
            AddSeal(
                FindingKind.Unsealed, null,
                $"the manifest says that {said}, the seal ends after {stages} of {manifest.Stages.Count} stages: "
                    + "an older seal was put in its place");
    }

    private void ExamineWhole(SealEntry end, RunManifest manifest)
    {
        var bytes = ForeignFile.ReadText(run.Folder.ManifestPath, ArtifactJson.MaximumSizeBytes);
        var pinned = end.Files.FirstOrDefault()?.Sha256;
        if (ContentHash.OfBytes(bytes) == pinned)
        {
            if (run.IsSealSound) ExamineHistory(manifest);
            return;
        }

        IsBeforeLastWrite = SealFile.BytesOf(manifest).AsSpan().SequenceEqual(bytes)
            && ContentHash.OfBytes(SealFile.BytesOf(manifest with { State = RunState.Completed })) == pinned;
        if (IsBeforeLastWrite) return;
        var changed = ManifestSections.Difference(end.Manifest, ManifestSections.All(ManifestSections.Json(run.Folder.ManifestPath)));
        AddFields(changed);
        if (changed.Count == 0) Add(FindingKind.Changed, null, "it was changed: its content reads the same and is spelled otherwise");
    }

    /// <summary>Whoever made seals anew around something changed has to make the manifest anew as well.</summary>
    private void ExamineHistory(RunManifest manifest)
    {
        if (manifest.ToolVersion == s_version && RunIdentity.Of(manifest) is var id && id != manifest.RunId)
            Add(FindingKind.Changed, "runId", $"'runId' is not that of its content, which is {id}: manifest and seal were made anew");
        foreach (var entry in run.Stages)
        {
            if (manifest.Stages.ElementAtOrDefault(entry.StageIndex!.Value) is not { } stage
                    || entry.Log!.HeadSha256 != (stage.TrajectoryHead ?? "") || entry.Log.Records != stage.Steps
                    || entry.Files.All(file => file.Sha256 != stage.StateSha256))
                AddSeal(
                    FindingKind.Changed, Field(entry.Sequence),
                    $"seal {entry.Sequence} does not fit the stage's result in the manifest: it was made anew");
        }

        if (run.Stages.Count() != manifest.Stages.Count)
            AddSeal(
                FindingKind.Changed, Field(run.End!.Sequence),
                $"it holds the seals of {run.Stages.Count()} of the manifest's {manifest.Stages.Count} stages: it was made anew");
    }

    private void ExamineParts(RunManifest manifest)
    {
        var json = ManifestSections.Json(run.Folder.ManifestPath);
        if (run.Start is { } start) AddFields(ManifestSections.Difference(start.Manifest, ManifestSections.OfStart(json)));
        foreach (var entry in run.Stages.Where(entry => entry.StageIndex < run.Completed))
            AddFields(ManifestSections.Difference(entry.Manifest, ManifestSections.OfStage(json, entry.StageIndex!.Value)));
        // A run that broke off may have sealed one stage more than its manifest knows.
        if (run.Stages.Count() > run.Completed + 1)
            Add(FindingKind.Changed, "stages", $"it says that {run.Completed} stages are completed; {run.Stages.Count()} are sealed");
    }

    private static string Field(int sequence) => $"seals[{sequence - 1}]";

    private void AddFields(IEnumerable<string> fields)
    {
        foreach (var field in fields) Add(FindingKind.Changed, field, $"'{field}' is not what was sealed");
    }

    private void Add(FindingKind kind, string? field, string message) =>
        _findings.Add(new RunFinding(run.NameOf(run.Folder.ManifestPath), null, field, kind, message));

    private void AddSeal(FindingKind kind, string? field, string message) =>
        _findings.Add(new RunFinding(run.NameOf(run.Folder.SealPath), null, field, kind, message));
}
