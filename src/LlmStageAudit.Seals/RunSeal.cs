using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Seals;

/// <summary>
/// What a run's folder must hold, to the byte: a history of seals, one from the start, one from each stage's end and one from the
/// run's end, each chained to the one before. Its own file has one spelling only; any other byte in it is a change.
/// </summary>
public sealed record RunSeal : RunArtifact<RunSeal>, IArtifact<RunSeal>
{
    /// <inheritdoc/>
    public static string KindName => "seal";

    /// <summary>How many seals the history holds.</summary>
    public required int Sequence { get; init; }

    /// <summary>Oldest first.</summary>
    public required IReadOnlyList<SealEntry> Seals { get; init; }

    /// <summary>Of this record as JSON on one line without this field; lower-case hexadecimal.</summary>
    public string? Sha256 { get; init; }
}

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

    /// <summary>Whether it leads no reader out of the run folder, and says of its log what can be.</summary>
    internal bool IsUsable() => Files.Select(file => file.Path).Concat(Log is { } log ? [log.Path] : []).All(SealPaths.IsSafe)
        && Log?.IsWhole() != false;
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
/// <param name="Field">The part's place in the manifest, such as <c>configuration.seed</c>, <c>inputs[2]</c> or <c>stages[0]</c>.</param>
/// <param name="Sha256">Of the part's JSON on one line; lower-case hexadecimal.</param>
public sealed record SealedSection(string Field, string Sha256);

/// <summary>A file of the run folder, pinned to the byte.</summary>
/// <param name="Path">Relative to the run folder, with forward slashes.</param>
/// <param name="SizeBytes">Length of the file.</param>
/// <param name="Sha256">Lower-case hexadecimal.</param>
public sealed record SealedFile(string Path, long SizeBytes, string Sha256);

/// <summary>
/// A stage's trajectory log, pinned by the end of its hash chain. Hashes along the chain are kept beside it, of every record or, in
/// long logs, of every so many, so that a log whose whole chain was computed anew can still be told record by record.
/// </summary>
/// <param name="Path">Relative to the run folder, with forward slashes.</param>
/// <param name="Records">How many records the log holds.</param>
/// <param name="SizeBytes">Length of the file.</param>
/// <param name="GradientBytes">Bytes of each record's gradient, 0 where none were logged.</param>
/// <param name="HeadSha256">The last record's hash, which pins all of the log; lower-case hexadecimal.</param>
/// <param name="MarkInterval">Every how many records a hash is kept; 1: of all.</param>
/// <param name="Marks">The hash of every MarkInterval-th record, in order; lower-case hexadecimal.</param>
public sealed record SealedLog(
    string Path, int Records, long SizeBytes, int GradientBytes, string HeadSha256, int MarkInterval, IReadOnlyList<string> Marks)
{
    /// <summary>How many hashes along the chain are kept at most.</summary>
    private const int MaximumMarks = 1024;

    /// <summary>Every how many records of a log a hash is to be kept.</summary>
    internal static int IntervalOf(int records) => Math.Max(1, (records + MaximumMarks - 1) / MaximumMarks);

    /// <summary>Whether this can be said of a log at all.</summary>
    internal bool IsWhole() => this is { Records: >= 0, SizeBytes: >= 0, GradientBytes: >= 0, MarkInterval: >= 1 }
        && Marks.Count == Records / MarkInterval
        && Marks.Append(HeadSha256).All(hash => hash.Length == 64 && hash.All(char.IsAsciiHexDigitLower));
}
