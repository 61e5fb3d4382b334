using LlmStageAudit.Seals.Logs;

namespace LlmStageAudit.Seals;

/// <summary>
/// One seal in a run's history: what was finished at that point, pinned, and the digest of the seal before, so that none can be
/// changed, left out or put in without every later one failing. Times are in no seal but the last, which pins the manifest's bytes.
/// </summary>
public sealed record SealEntry
{
    /// <summary>From 1, without gaps.</summary>
    public required int Sequence { get; init; }

    public required SealScope Scope { get; init; }

    /// <summary>The stage's name; null unless a stage was sealed.</summary>
    public string? Stage { get; init; }

    /// <summary>The stage's place in the manifest, from 0; null unless a stage was sealed.</summary>
    public int? StageIndex { get; init; }

    /// <summary>
    /// Parts of the manifest: at the start what never changes, of a stage its result without times, at the end everything.
    /// </summary>
    public required IReadOnlyList<SealedSection> Manifest { get; init; }

    /// <summary>At the start the initial state's files, of a stage its state's, at the end the manifest itself.</summary>
    public required IReadOnlyList<SealedFile> Files { get; init; }

    /// <summary>The stage's log; null unless a stage was sealed.</summary>
    public SealedLog? Log { get; init; }

    /// <summary>The digest of the seal before; of the first one a digest of the run's id.</summary>
    public required string PreviousSha256 { get; init; }

    /// <summary>Of this seal as JSON on one line without this field; lower-case hexadecimal.</summary>
    public string? Sha256 { get; init; }
}
