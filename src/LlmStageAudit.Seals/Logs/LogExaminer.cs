using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Seals.Findings;

namespace LlmStageAudit.Seals.Logs;

/// <summary>What an examination found.</summary>
/// <param name="Records">Records that are as they were sealed.</param>
/// <param name="Findings">What is wrong; empty: nothing.</param>
internal sealed record LogExamination(int Records, IReadOnlyList<RunFinding> Findings);

/// <summary>Holds a log against its seal: one pass over its bytes where all is well, a diagnosis where not.</summary>
internal static class LogExaminer
{
    /// <summary>Examines the log of a completed stage.</summary>
    /// <param name="path">The file.</param>
    /// <param name="log">What it must be.</param>
    /// <param name="genesis">What its chain begins with.</param>
    /// <param name="origins">The run's other logs.</param>
    /// <param name="cancellation">Asked between records or files.</param>
    public static LogExamination Examine(string path, SealedLog log, string genesis, LogOrigins origins, CancellationToken cancellation)
    {
        try
        {
            using var file = new LogFile(path);
            var genesisHash = TrajectoryFrame.GenesisHash(genesis);
            return IsIntact(file, log, genesisHash, cancellation)
                ? new LogExamination(log.Records, [])
                : Diagnose(file, log, genesisHash, origins, cancellation);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return new LogExamination(
                0, [new RunFinding(log.Path, null, null, FindingKind.Missing, $"the log is gone, with its {log.Records} records")]);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new LogExamination(
                0, [new RunFinding(log.Path, null, null, FindingKind.Unreadable, $"it cannot be read ({exception.Message})")]);
        }
    }

    /// <summary>
    /// A log that is still being written, or was broken off: whole records that follow each other, then perhaps a torn one.
    /// </summary>
    public static LogExamination ExamineUnfinished(string path, string name, string genesis, CancellationToken cancellation)
    {
        using var file = new LogFile(path);
        // Its preamble may be torn as well.
        if (!file.HasPreamble() && file.SizeBytes >= TrajectoryFrame.PreambleBytes) return new LogExamination(0, [PreambleFinding(name)]);
        var (records, offset, previous) = (0, (long)TrajectoryFrame.PreambleBytes, TrajectoryFrame.GenesisHash(genesis));
        while (file.SkipAt(offset) is { } frame)
        {
            cancellation.ThrowIfCancellationRequested();
            if (!file.HashOf(previous, offset, frame.End - TrajectoryFrame.HashBytes).AsSpan().SequenceEqual(frame.Hash)) break;
            (records, offset, previous) = (records + 1, frame.End, frame.Hash);
        }

        var isTail = offset >= file.SizeBytes || file.FindFrame(offset + 1, gradientBytes: null) is null;
        return new LogExamination(records, isTail ? [] :
        [
            new RunFinding(
                name, records + 1, null, FindingKind.Changed,
                $"record {records + 1} was changed: its hash does not match, and records follow it"),
        ]);
    }

    private static bool IsIntact(LogFile file, SealedLog log, byte[] genesisHash, CancellationToken cancellation)
    {
        if ((log.SizeBytes >= 0 && file.SizeBytes != log.SizeBytes) || !file.HasPreamble()) return false;
        var (offset, previous) = ((long)TrajectoryFrame.PreambleBytes, genesisHash);
        for (var number = 1; number <= log.Records; number++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (file.SkipAt(offset) is not { } frame || frame.PayloadBytes != log.GradientBytes) return false;
            if (!file.HashOf(previous, offset, frame.End - TrajectoryFrame.HashBytes).AsSpan().SequenceEqual(frame.Hash)) return false;
            if (number % log.MarkInterval == 0 && Convert.ToHexStringLower(frame.Hash) != log.Marks[(number / log.MarkInterval) - 1])
                return false;
            (offset, previous) = (frame.End, frame.Hash);
        }

        return offset == file.SizeBytes && Convert.ToHexStringLower(previous) == log.HeadSha256;
    }

    private static LogExamination Diagnose(
        LogFile file, SealedLog log, byte[] genesisHash, LogOrigins origins, CancellationToken cancellation)
    {
        var pieces = LogIdentification.Of(file, log, genesisHash, cancellation);
        var findings = LogDiagnosis.Of(log, pieces, file.SizeBytes, origins).ToList();
        if (!file.HasPreamble()) findings.Insert(0, PreambleFinding(log.Path));
        if (findings.Count == 0)
            findings.Add(new RunFinding(log.Path, null, null, FindingKind.Changed, "it is not the log that was sealed"));
        var intact = pieces.Where(piece => piece is { Number: not null, IsContentChanged: false, IsHashChanged: false });
        return new LogExamination(intact.Select(piece => piece.Number).Distinct().Count(), findings);
    }

    private static RunFinding PreambleFinding(string name) =>
        new(
            name, null, null, FindingKind.Changed,
            $"its first {TrajectoryFrame.PreambleBytes} bytes, which say that it is a trajectory log, were changed");
}

/// <summary>Which sealed log of the run a record's hash belongs to, to say where a record that was moved comes from.</summary>
internal sealed class LogOrigins
{
    private readonly Dictionary<string, (string Path, int Record)> _origins = [];

    public LogOrigins(IEnumerable<SealedLog> logs)
    {
        foreach (var log in logs)
        {
            foreach (var (index, mark) in log.Marks.Index()) _origins.TryAdd(mark, (log.Path, (index + 1) * log.MarkInterval));
        }
    }

    public (string Path, int Record)? Of(LogPiece piece) =>
        piece.IsRecord && _origins.TryGetValue(Convert.ToHexStringLower(piece.Frame.Hash), out var origin) ? origin : null;
}
