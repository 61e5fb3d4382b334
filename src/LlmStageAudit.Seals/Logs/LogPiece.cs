namespace LlmStageAudit.Seals.Logs;

/// <summary>A stretch of a damaged log, and which of the sealed records it is.</summary>
internal sealed class LogPiece(LogFrame frame)
{
    public LogFrame Frame { get; } = frame;

    public bool IsRecord => Frame.Record is not null;

    /// <summary>The sealed record this is, from 1; null where it is none of them.</summary>
    public int? Number { get; set; }

    /// <summary>The record's hash when it was sealed.</summary>
    public byte[]? SealedHash { get; set; }

    /// <summary>The stored hash is that of the sealed record, its content is not.</summary>
    public bool IsContentChanged { get; set; }

    /// <summary>The content is that of the sealed record, the stored hash is not.</summary>
    public bool IsHashChanged { get; set; }

    /// <summary>It follows the record before, and nothing sealed says more.</summary>
    public bool IsAssumed { get; set; }

    /// <summary>The stored hash is right for the content after the hash stored before it.</summary>
    public bool IsChained { get; set; }
}
