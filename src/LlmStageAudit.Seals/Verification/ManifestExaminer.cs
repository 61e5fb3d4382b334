using System.Text.Json;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Seals.Findings;

namespace LlmStageAudit.Seals.Verification;

/// <summary>
/// Holds the manifest against the seal: of a completed run to the byte, of one that goes on in everything that no longer changes. And
/// the seal against the manifest: a run that is called completed has a seal that says so.
/// </summary>
internal sealed class ManifestExaminer(SealedRun run)
{
    /// <summary>More changed fields than these beside the run's id, and it is another manifest.</summary>
    private const int FieldsOfAnEdit = 3;

    // Another version may know other fields, which count into the id.
    private static readonly string s_version = typeof(RunManifest).Assembly.GetName().Version!.ToString(3);

    private readonly List<RunFinding> _findings = [];

    /// <summary>Whether the run broke off after its last seal and before the manifest that it pins.</summary>
    public bool IsBeforeLastWrite { get; private set; }

    public IReadOnlyList<RunFinding> Examine()
    {
        ExamineSeal();
        if (run.Manifest is null)
        {
            if (run.ManifestFault is null) Add(FindingKind.Missing, null, "the manifest is gone");
            else ExamineUnreadable(run.ManifestFault);
        }
        else if (run.End is { } end)
        {
            ExamineWhole(end, run.Manifest);
        }
        else
        {
            ExamineParts(run.Manifest);
        }

        return _findings;
    }

    private void ExamineUnreadable(string fault)
    {
        if (run.ManifestJson is { } json && run.End is { } end)
            AddFields(SealedSections.Difference(end.Manifest, ManifestSections.All(json)));
        Add(FindingKind.Changed, null, $"it cannot be read as a manifest any more: {fault}");
    }

    private void ExamineSeal()
    {
        var name = run.NameOf(run.Folder.SealPath);
        if (run.Reading is null)
        {
            if (run.Completed > 0 || run.Manifest?.State == RunState.Completed)
                _findings.Add(new RunFinding(
                    name, null, null, FindingKind.Unsealed,
                    "there is no seal: it was removed, or the run was trained by a version without seals"));
            return;
        }

        if (run.IsSealForeign)
            _findings.Add(new RunFinding(
                name, null, "runId", FindingKind.Foreign, $"it is the seal of another run, {run.Reading.Seal!.RunId}"));
        foreach (var fault in run.Reading.Faults)
            _findings.Add(new RunFinding(
                name, null, fault.Entry is { } entry ? $"seals[{entry - 1}]" : null, FindingKind.Changed,
                fault.Entry is { } number ? $"seal {number}: {fault.Found}" : fault.Found));
        if (!run.IsSealSound || run.Manifest is null || run.End is not null) return;
        var stages = run.Stages.Count();
        if (run.Manifest.State == RunState.Completed)
            _findings.Add(new RunFinding(
                name, null, null, FindingKind.Unsealed,
                $"the manifest says that the run is completed, the seal ends after {stages} of {run.Manifest.Stages.Count} stages: "
                    + "an older seal was put in its place"));
        else if (run.Completed > stages)
            _findings.Add(new RunFinding(
                name, null, null, FindingKind.Unsealed,
                $"the manifest says that {run.Completed} stages are completed, the seal knows {stages}: "
                    + "an older seal was put in its place"));
    }

    private void ExamineWhole(SealEntry end, RunManifest manifest)
    {
        var bytes = ForeignFile.ReadText(run.Folder.ManifestPath, ArtifactJson.MaximumSizeBytes);
        var pinned = end.Files.FirstOrDefault()?.Sha256;
        if (ContentHash.OfBytes(bytes) == pinned)
        {
            ExamineHistory(manifest);
            return;
        }

        if (ContentHash.OfBytes(SealDigest.FileBytes(manifest with { State = RunState.Completed })) == pinned
            && SealDigest.FileBytes(manifest).AsSpan().SequenceEqual(bytes))
        {
            IsBeforeLastWrite = true;
            return;
        }

        var changed = SealedSections.Difference(end.Manifest, ManifestSections.All(Json));
        if (changed.Contains("runId") && changed.Count > FieldsOfAnEdit)
            Add(FindingKind.Foreign, null, $"it is the manifest of another run, {manifest.RunId}");
        else AddFields(changed);
        if (_findings.All(finding => finding.File != Name))
            Add(FindingKind.Changed, null, "it was changed: its content reads the same and is spelled otherwise");
    }

    /// <summary>Whoever made seals anew around something changed has to make the manifest anew as well.</summary>
    private void ExamineHistory(RunManifest manifest)
    {
        if (!run.IsSealSound) return;
        if (manifest.ToolVersion == s_version && RunIdentity.Of(manifest) is var id && id != manifest.RunId)
            Add(FindingKind.Changed, "runId", $"'runId' is not that of its content, which is {id}: manifest and seal were made anew");
        if (SealedSections.Difference(run.Start!.Manifest, ManifestSections.OfStart(Json)) is [var field, ..])
            AddMisfit(run.Start, $"'{field}' of the manifest");
        foreach (var entry in run.Stages)
        {
            if (entry.StageIndex >= manifest.Stages.Count) continue;
            var stage = manifest.Stages[entry.StageIndex!.Value];
            if (SealedSections.Difference(entry.Manifest, ManifestSections.OfStage(Json, entry.StageIndex.Value)).Count > 0)
                AddMisfit(entry, "the stage's result in the manifest");
            if (entry.Log!.HeadSha256 != stage.TrajectoryHead || entry.Log.Records != stage.Steps)
                AddMisfit(entry, "the log's end as the manifest gives it");
            if (entry.Files.All(file => file.Sha256 != stage.StateSha256)) AddMisfit(entry, "the state's SHA-256 as the manifest gives it");
        }

        if (run.Stages.Count() != manifest.Stages.Count) AddMisfit(run.End!, $"the manifest's {manifest.Stages.Count} stages");
    }

    private void ExamineParts(RunManifest manifest)
    {
        if (run.Start is { } start) AddFields(SealedSections.Difference(start.Manifest, ManifestSections.OfStart(Json)));
        foreach (var entry in run.Stages.Where(entry => entry.StageIndex < run.Completed))
            AddFields(SealedSections.Difference(entry.Manifest, ManifestSections.OfStage(Json, entry.StageIndex!.Value)));
        // A run that broke off may have sealed one stage more than its manifest knows.
        if (run.Stages.Count() > run.Completed + 1)
            Add(FindingKind.Changed, "stages", $"it says that {run.Completed} stages are completed; {run.Stages.Count()} are sealed");
    }

    private JsonElement Json => run.ManifestJson!.Value;

    private string Name => run.NameOf(run.Folder.ManifestPath);

    private void AddMisfit(SealEntry entry, string what) => _findings.Add(new RunFinding(
        run.NameOf(run.Folder.SealPath), null, $"seals[{entry.Sequence - 1}]", FindingKind.Changed,
        $"seal {entry.Sequence} does not fit {what}: it was made anew"));

    private void AddFields(IEnumerable<string> fields)
    {
        foreach (var field in fields) Add(FindingKind.Changed, field, $"'{field}' is not what was sealed");
    }

    private void Add(FindingKind kind, string? field, string message) => _findings.Add(new RunFinding(Name, null, field, kind, message));
}
