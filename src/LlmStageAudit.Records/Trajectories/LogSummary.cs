namespace LlmStageAudit.Records.Trajectories;

/// <summary>
/// What a log's framing alone says: a walk over lengths and hashes that reads no gradient and no header but the first and the last.
/// No hash is checked.
/// </summary>
public sealed record LogSummary
{
    private LogSummary()
    {
    }

    /// <summary>Version of the log's format.</summary>
    public int Version { get; private init; } = 1;

    /// <summary>Length of the file.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Whole records.</summary>
    public int Records { get; private init; }

    /// <summary>Of each record; 0 where none were logged.</summary>
    public int GradientBytes { get; private init; }

    /// <summary>Null in an empty log.</summary>
    public StepRecord? First { get; private init; }

    /// <summary>The last whole record; null in an empty log.</summary>
    public StepRecord? Last { get; private init; }

    /// <summary>The last whole record's hash as the file has it, lower-case hexadecimal; null in an empty log.</summary>
    public string? HeadHash { get; private init; }

    /// <summary>Bytes behind the last whole record: of one whose writing was cut off, or of something else.</summary>
    public long TornBytes { get; private init; }

    /// <summary>What is wrong where the records end before the file does, other than that it ends too soon; null: nothing.</summary>
    public string? Fault { get; private init; }

    /// <summary>Whether a file begins as a log does.</summary>
    public static bool IsLog(string path)
    {
        if (!File.Exists(path)) return false;
        using var stream = TrajectoryReader.OpenFile(path);
        Span<byte> start = stackalloc byte[8];
        return RandomAccess.Read(stream.SafeFileHandle, start, 0) == start.Length && start.SequenceEqual(TrajectoryFrame.Preamble[..8]);
    }

    /// <summary>Whether the first record's hash says that the log is of a run and stage; null where there is no whole record.</summary>
    /// <param name="path">The log.</param>
    /// <param name="genesis">What the writer was given.</param>
    public static bool? IsOf(string path, string genesis)
    {
        using var stream = TrajectoryReader.OpenFile(path);
        using var scan = new TrajectoryScan(stream, path, genesis);
        try
        {
            scan.CheckPreamble();
            if (!scan.TryAdvance()) return null;
            scan.Verify(0);
            return true;
        }
        catch (TrajectoryException)
        {
            return false;
        }
    }

    /// <summary>Walks over a log's framing.</summary>
    /// <exception cref="TrajectoryException">The file is absent, cannot be read, or is no log.</exception>
    public static LogSummary Read(string path)
    {
        using var stream = TrajectoryReader.OpenFile(path);
        try
        {
            return Walk(new FrameWindow(stream.SafeFileHandle), stream.Length, path);
        }
        catch (IOException exception)
        {
            throw TrajectoryException.Unreadable(path, exception);
        }
    }

    private static LogSummary Walk(FrameWindow window, long length, string path)
    {
        if (!window.HasPreamble(length)) throw TrajectoryException.NotALog(path);
        FramePlace? first = null, last = null;
        var (end, records) = ((long)TrajectoryFrame.PreambleBytes, 0);
        string? fault = null;
        while (length - end >= TrajectoryFrame.FramingBytes)
        {
            fault = window.FrameAt(end, last?.PayloadBytes, out var place);
            if (fault is not null || place.End > length) break;
            (first, last, end) = (first ?? place, place, place.End);
            records++;
        }

        var ids = new BatchIdTable();
        return new LogSummary
        {
            SizeBytes = length,
            Records = records,
            GradientBytes = last?.PayloadBytes ?? 0,
            TornBytes = length - end,
            First = Header(first),
            Last = Header(last),
            HeadHash = last is { HashOffset: var hash } ? Convert.ToHexStringLower(window.At(hash, TrajectoryFrame.HashBytes)) : null,
            Fault = fault,
        };

        StepRecord? Header(FramePlace? place)
        {
            if (place is not { } there) return null;
            if (StepHeader.Read(window.At(there.HeaderOffset, there.HeaderBytes), ids, out var record) is { } found) fault ??= found;
            return record;
        }
    }
}
