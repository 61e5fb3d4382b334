namespace LlmStageAudit.Records.Trajectories;

/// <summary>
/// What a log's framing alone says: a walk over lengths and hashes that reads no gradient and no header but the first and the last.
/// No hash is checked.
/// </summary>
public sealed record LogSummary
{
    private const int HashBytes = TrajectoryFrame.HashBytes;

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
        const int preamble = TrajectoryFrame.PreambleBytes;
        if (length < preamble || !window.At(0, preamble, 0).SequenceEqual(TrajectoryFrame.Preamble))
            throw TrajectoryException.NotALog(path);
        var (end, lastStart, records, gradientBytes) = ((long)preamble, 0L, 0, 0);
        string? fault = null;
        while (length - end >= TrajectoryFrame.FramingBytes)
        {
            fault = TrajectoryFrame.ReadFraming(
                window.At(end, TrajectoryFrame.FramingBytes, gradientBytes), out var headerBytes, out var payloadBytes);
            if (fault is null && records > 0 && payloadBytes != gradientBytes)
                fault = $"a gradient of {payloadBytes} bytes after one of {gradientBytes} bytes";
            if (fault is not null) break;
            var next = end + TrajectoryFrame.FramingBytes + headerBytes + payloadBytes + HashBytes;
            if (next > length) break;
            (lastStart, end, gradientBytes) = (end, next, payloadBytes);
            records++;
        }

        var summary = new LogSummary { SizeBytes = length, Records = records, GradientBytes = gradientBytes, TornBytes = length - end };
        if (records == 0) return summary with { Fault = fault };
        return summary with
        {
            First = RecordAt(window, preamble, ref fault),
            Last = RecordAt(window, lastStart, ref fault),
            HeadHash = Convert.ToHexStringLower(window.At(end - HashBytes, HashBytes, gradientBytes)),
            Fault = fault,
        };
    }

    private static StepRecord? RecordAt(FrameWindow window, long offset, ref string? fault)
    {
        var ids = new BatchIdTable();
        TrajectoryFrame.ReadFraming(window.At(offset, TrajectoryFrame.FramingBytes, 0), out var headerBytes, out _);
        if (StepHeader.Read(window.At(offset + TrajectoryFrame.FramingBytes, headerBytes, 0), ids, out var header) is not { } found)
            return header.ToRecord(ids);
        fault ??= found;
        return null;
    }
}
