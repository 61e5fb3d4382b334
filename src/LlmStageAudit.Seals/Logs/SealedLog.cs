namespace LlmStageAudit.Seals.Logs;

/// <summary>
/// A stage's trajectory log, pinned by the end of its hash chain. Hashes along the chain are kept beside it, of every record or, in
/// long logs, of every so many, so that a log whose whole chain was computed anew can still be told record by record.
/// </summary>
public sealed record SealedLog
{
    /// <summary>How many hashes along the chain are kept at most.</summary>
    internal const int MaximumMarks = 1024;

    /// <summary>Relative to the run folder, with forward slashes.</summary>
    public required string Path { get; init; }

    /// <summary>How many records the log holds.</summary>
    public required int Records { get; init; }

    /// <summary>Length of the file.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Bytes of each record's gradient, 0 where none were logged.</summary>
    public required int GradientBytes { get; init; }

    /// <summary>The last record's hash, which pins all of the log; lower-case hexadecimal.</summary>
    public required string HeadSha256 { get; init; }

    /// <summary>Every how many records a hash is kept; 1: of all.</summary>
    public required int MarkInterval { get; init; }

    /// <summary>The hash of every <see cref="MarkInterval"/>-th record, in order; lower-case hexadecimal.</summary>
    public required IReadOnlyList<string> Marks { get; init; }
}
