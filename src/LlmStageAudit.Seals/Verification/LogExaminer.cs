using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Seals.Verification;

/// <summary>
/// Holds a log against the hashes that are sealed of it. A record is known by its stored hash: it is a sealed one, or what a known record's
/// content follows. Since a hash covers the one before it, a known hash also says what the record's content must be.
/// <para>
/// Found are known records whose content is another, that stand more than once or are not in their order, and after each known record
/// what stands there against the records that are lacking there.
/// </para>
/// </summary>
internal sealed class LogExaminer
{
    private readonly LogFile _file;
    private readonly SealedLog _log;
    private readonly List<LogPiece> _pieces;
    private readonly int?[] _numbers; // per piece, from 1; null: no record of this log
    private readonly Dictionary<int, byte[]> _sealedHashes;
    private readonly List<RunFinding> _findings = [];

    private LogExaminer(LogFile file, SealedLog log, byte[] genesisHash, CancellationToken cancellation)
    {
        (_file, _log) = (file, log);
        _pieces = [.. file.Pieces(genesisHash, log.GradientBytes, cancellation)];
        _numbers = new int?[_pieces.Count];
        _sealedHashes = log.Marks.Index()
            .ToDictionary(mark => (mark.Index + 1) * log.MarkInterval, mark => Convert.FromHexString(mark.Item));
        if (log.Records > 0) _sealedHashes[log.Records] = Convert.FromHexString(log.HeadSha256);
        _sealedHashes[0] = genesisHash;
    }

    /// <summary>Examines the log of a completed stage.</summary>
    /// <param name="path">The file.</param>
    /// <param name="log">What it must be.</param>
    /// <param name="genesis">What its chain begins with.</param>
    /// <param name="cancellation">Asked between records.</param>
    /// <returns>How many records are as they were sealed, and what is wrong; empty: nothing.</returns>
    public static (int Records, IReadOnlyList<RunFinding> Findings) Examine(
        string path, SealedLog log, string genesis, CancellationToken cancellation)
    {
        try
        {
            using var file = new LogFile(path);
            return new LogExaminer(file, log, TrajectoryFrame.GenesisHash(genesis), cancellation).Examine();
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return Unread(FindingKind.Missing, $"the log is gone, with its {log.Records} records");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Unread(FindingKind.Unreadable, $"it cannot be read ({exception.Message})");
        }

        (int, IReadOnlyList<RunFinding>) Unread(FindingKind kind, string message) =>
            (0, [new RunFinding(log.Path, null, null, kind, message)]);
    }

    private (int Records, IReadOnlyList<RunFinding> Findings) Examine()
    {
        if (!_file.HasPreamble())
            Add(
                null, FindingKind.Changed,
                $"its first {TrajectoryFrame.PreambleBytes} bytes, which say that it is a trajectory log, were changed");
        NumberRecords();
        if (IsAnotherLog())
        {
            Add(null, FindingKind.Foreign, "it is another log: none of its records is one of this run and stage");
            return (0, _findings);
        }

        var intact = _numbers.OfType<int>().Distinct().Count() - FindChangedRecords();
        FindRecordsOutOfOrder();
        FindWhatStandsBetween();
        if (_findings.Count == 0 && _file.SizeBytes != _log.SizeBytes)
            Add(null, FindingKind.Changed, $"it holds {_file.SizeBytes} bytes, sealed as {_log.SizeBytes}");
        return (intact, [.. _findings.OrderBy(finding => finding.Record)]);
    }

    private void NumberRecords()
    {
        var numbers = new Dictionary<string, int>();
        for (var number = 1; number <= _log.Marks.Count; number++)
            numbers.TryAdd(_log.Marks[number - 1], number * _log.MarkInterval);
        if (_log.Records > 0) numbers.TryAdd(_log.HeadSha256, _log.Records);

        // Backwards: the hash before a known record's content is that of the record before, also where the seal leaves it out.
        for (var i = _pieces.Count - 1; i >= 0; i--)
        {
            var piece = _pieces[i];
            if (!piece.IsRecord) continue;
            if (numbers.TryGetValue(Convert.ToHexStringLower(piece.Hash!), out var sealedAs)) _numbers[i] = sealedAs;
            if (_numbers[i] is > 1 and var number && piece.Fits && i > 0 && _pieces[i - 1].IsRecord) _numbers[i - 1] = number - 1;
        }

        // Forwards: before a changed record, where the seal leaves hashes out, following the record before is all that can be asked.
        for (var i = 0; i < _pieces.Count; i++)
        {
            var next = (i == 0 ? 0 : _numbers[i - 1]) + 1;
            if (_pieces[i].Fits && next <= _log.Records && !_sealedHashes.ContainsKey(next.Value)) _numbers[i] ??= next;
        }
    }

    private bool IsAnotherLog() => _numbers.All(number => number is null)
        && _pieces.Where(piece => piece.IsRecord).Take(2).ToArray() is [{ Fits: false }, _];

    private int FindChangedRecords()
    {
        var changed = new HashSet<int>();
        for (var i = 0; i < _pieces.Count; i++)
        {
            if (_numbers[i] is not { } number || !IsChanged(i, number) || !changed.Add(number)) continue;
            var begin = BeginOf(number);
            AddChanged(number, number, begin < number ? $"or a record from {begin} on, under a fresh hash" : null);
        }

        return changed.Count;
    }

    private bool IsChanged(int i, int number)
    {
        if (_pieces[i].Fits) return false;
        return _sealedHashes.TryGetValue(number - 1, out var before)
            ? !_file.HashAfter(before, _pieces[i]).AsSpan().SequenceEqual(_pieces[i].Hash)
            : i > 0 && _numbers[i - 1] == number - 1;
    }

    private void FindRecordsOutOfOrder()
    {
        var found = _numbers.OfType<int>().ToArray();
        var repeated = found.CountBy(number => number).Where(pair => pair.Value > 1).Select(pair => pair.Key).ToHashSet();
        foreach (var number in repeated) Add(number, FindingKind.Duplicated, $"record {number} stands more than once");
        var single = found.Where(number => !repeated.Contains(number)).ToArray();
        var displaced = single.Zip(single.Order()).Where(pair => pair.First != pair.Second).Select(pair => pair.Second).ToArray();
        if (displaced.Length == 0) return;
        Add(
            displaced[0],
            FindingKind.Reordered,
            displaced is [var one, var other]
                ? $"records {one} and {other} are swapped"
                : $"records {displaced[0]} to {displaced[^1]} are not in their order");
    }

    private void FindWhatStandsBetween()
    {
        int[] known = [.. _numbers.OfType<int>().Distinct().Order()];
        var seen = new HashSet<int>();
        var (after, unknown) = (0, new List<LogPiece>());
        foreach (var (piece, number) in _pieces.Zip(_numbers))
        {
            if (number is not { } next)
            {
                unknown.Add(piece);
            }
            else if (seen.Add(next))
            {
                CompareAfter(after, known, unknown);
                (after, unknown) = (next, []);
            }
        }

        CompareAfter(after, known, unknown);
    }

    /// <summary>What stands after a known record, against the records up to the next one that is known wherever it stands.</summary>
    private void CompareAfter(int after, int[] known, List<LogPiece> unknown)
    {
        var place = after == 0 ? 0 : Array.BinarySearch(known, after) + 1;
        var end = place < known.Length ? known[place] : _log.Records + 1;
        var lacking = end - after - 1;
        var isLast = end > _log.Records;
        var isTorn = isLast && lacking > 0 && _file.SizeBytes < _log.SizeBytes && unknown is [.., { IsRecord: false }];
        if (isTorn) (lacking, unknown) = (lacking - 1, unknown[..^1]);

        // Bytes that are no record may have been any number of them.
        var isUnclear = lacking > 0 && unknown.Exists(piece => !piece.IsRecord);
        var changed = isUnclear ? lacking : Math.Min(lacking, unknown.Count);
        if (changed > 0)
        {
            var begin = unknown[0].Fits ? BeginOf(after + 1) : after + 1;
            AddChanged(begin, after + changed, begin <= after ? $"perhaps only from {after + 1} on" : null);
        }

        var first = after + changed + 1;
        if (isTorn) Add(first, FindingKind.Truncated, $"it is cut inside record {first} of {_log.Records}");
        else if (first < end && isLast) Add(first, FindingKind.Truncated, $"it is cut before record {first} of {_log.Records}");
        else if (first < end) Add(first, FindingKind.Removed, $"{Range(first, end - 1, "is", "are")} missing");
        else if (!isUnclear && unknown.Count > changed) AddExtra(first - 1, unknown[changed..].Sum(piece => piece.End - piece.Offset));
    }

    private void AddExtra(int after, long bytes) => Add(
        Math.Max(1, after),
        after == _log.Records ? FindingKind.Appended : FindingKind.Foreign,
        $"{bytes} bytes that were not sealed stand {(after == 0 ? "before record 1" : $"after record {after}")}");

    /// <summary>Says what was changed.</summary>
    /// <param name="first">Where it begins.</param>
    /// <param name="last">Where it ends.</param>
    /// <param name="doubt">What else it may be where hashes before it are not sealed; null: nothing.</param>
    private void AddChanged(int first, int last, string? doubt)
    {
        var note = doubt is null ? "" : $" ({doubt}: of this log one hash in {_log.MarkInterval} is sealed)";
        Add(first, FindingKind.Changed, $"{Range(first, last, "was", "were")} changed{note}");
    }

    /// <summary>The first record after the last sealed hash before a record.</summary>
    private int BeginOf(int number) => ((number - 1) / _log.MarkInterval * _log.MarkInterval) + 1;

    private static string Range(int first, int last, string one, string more) =>
        first == last ? $"record {first} {one}" : $"records {first} to {last} {more}";

    private void Add(int? record, FindingKind kind, string message) =>
        _findings.Add(new RunFinding(_log.Path, record, null, kind, message));
}
