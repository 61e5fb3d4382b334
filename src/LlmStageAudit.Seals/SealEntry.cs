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

    /// <summary>What was finished at that point.</summary>
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

/// <summary>What a seal closes.</summary>
public enum SealScope
{
    /// <summary>The beginning: the initial state, and everything in the manifest that training does not change.</summary>
    Start,

    /// <summary>The end of one stage.</summary>
    Stage,

    /// <summary>The end of the run, after which nothing in it changes any more.</summary>
    Run,
}

/// <summary>A part of the manifest, pinned by its content, so that a changed manifest can be told by the field that changed.</summary>
public sealed record SealedSection
{
    /// <summary>The part's place in the manifest, such as <c>configuration.seed</c>, <c>inputs[2]</c> or <c>stages[0]</c>.</summary>
    public required string Field { get; init; }

    /// <summary>Of the part's JSON on one line; lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }
}

/// <summary>A file of the run folder, pinned to the byte.</summary>
public sealed record SealedFile
{
    /// <summary>Relative to the run folder, with forward slashes.</summary>
    public required string Path { get; init; }

    /// <summary>Length of the file.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }
}
