using LlmStageAudit.Seals.Findings;
using LlmStageAudit.Seals.Verification;

namespace LlmStageAudit.Seals.Logs;

/// <summary>Says in plain words what was done to a log.</summary>
internal sealed class LogDiagnosis
{
    private readonly SealedLog _log;
    private readonly IReadOnlyList<LogPiece> _pieces;
    private readonly LogAlignment _alignment;
    private readonly LogOrigins _origins;
    private readonly Dictionary<LogPiece, int> _places;
    private readonly Dictionary<LogPiece, int> _replaced = [];
    private readonly HashSet<LogPiece> _told = [];
    private readonly List<RunFinding> _findings = [];

    private LogDiagnosis(SealedLog log, IReadOnlyList<LogPiece> pieces, long fileBytes, LogOrigins origins)
    {
        (_log, _pieces, _origins) = (log, pieces, origins);
        _alignment = LogAlignment.Of(pieces, log, fileBytes);
        _places = pieces.Index().ToDictionary(pair => pair.Item, pair => pair.Index);
        foreach (var (piece, number) in _alignment.Replaced) _replaced.TryAdd(piece, number);
    }

    public static IReadOnlyList<RunFinding> Of(SealedLog log, IReadOnlyList<LogPiece> pieces, long fileBytes, LogOrigins origins)
    {
        var diagnosis = new LogDiagnosis(log, pieces, fileBytes, origins);
        if (diagnosis.IsAnotherLog()) return diagnosis._findings;
        diagnosis.FindReplacedRecords();
        diagnosis.FindChangedRecords();
        diagnosis.FindLackingRecords();
        diagnosis.FindMovedRecords();
        diagnosis.FindAddedPieces();
        return [.. diagnosis._findings.OrderBy(finding => finding.Record ?? int.MaxValue)];
    }

    private bool IsAnotherLog()
    {
        var records = _pieces.Where(piece => piece.IsRecord).ToArray();
        if (records.Length == 0 || records.Any(piece => piece.Number is not null)) return false;
        var origins = records.Select(_origins.Of).Where(origin => origin is not null)
            .Select(origin => origin!.Value.Path).Distinct().ToArray();
        if (origins is [var origin]) Add(null, FindingKind.Foreign, $"it holds the records of {origin}");
        else if (records.Length > 1 && !records[0].IsChained && records.Skip(1).All(piece => piece.IsChained))
            Add(null, FindingKind.Foreign, "it holds another log: its chain does not begin with this run and stage");
        return _findings.Count > 0;
    }

    private void FindReplacedRecords()
    {
        foreach (var (piece, number) in _alignment.Replaced)
        {
            if (_told.Contains(piece) && piece.IsRecord) continue;
            if (_origins.Of(piece) is { } origin)
                Add(number, FindingKind.Foreign, $"record {number} was replaced by record {origin.Record} of {origin.Path}");
            else if (!piece.IsRecord) Add(number, FindingKind.Changed, $"record {number} was changed: its bytes are no record any more");
            else AddChained(piece, number, LastRehashed(piece, number));
        }
    }

    private void FindChangedRecords()
    {
        foreach (var piece in _pieces.Where(piece => piece.Number is not null && !_told.Contains(piece)))
        {
            var number = piece.Number!.Value;
            if (piece.IsContentChanged)
                Add(number, FindingKind.Changed, $"record {number} was changed: its hash does not match{OtherSuspects(piece)}");
            if (!piece.IsHashChanged || _told.Contains(piece)) continue;
            if (!piece.IsChained)
            {
                Add(number, FindingKind.Changed, $"record {number} was changed: not its content but the hash stored with it");
                continue;
            }

            var last = LastRehashed(piece, number);
            var which = last == number ? $"hash of record {number} was" : $"hashes of records {number} to {last} were";
            Add(number, FindingKind.Changed, $"the {which} computed anew, for what stands before; the content is as it was sealed");
        }
    }

    // Where no hash of the records before is sealed, one of those under a fresh hash would look the same.
    private string OtherSuspects(LogPiece piece)
    {
        var first = _places[piece];
        while (first > 0 && _pieces[first - 1] is { IsAssumed: true }) first--;
        return first == _places[piece]
            ? ""
            : $" (or a record from {_pieces[first].Number} on, under a fresh hash: of this log one hash in {_log.MarkInterval} is sealed)";
    }

    /// <summary>The last of the records from a changed one on whose stored hashes follow from it: someone went on computing.</summary>
    private int LastRehashed(LogPiece piece, int number)
    {
        var at = _places[piece];
        for (_told.Add(piece); at + 1 < _pieces.Count; at++, number++)
        {
            var next = _pieces[at + 1];
            var isRehashed = next is { IsRecord: true, IsChained: true } && _origins.Of(next) is null
                && (next.IsHashChanged ? next.Number : _replaced.GetValueOrDefault(next)) == number + 1;
            if (!isRehashed) break;
            _told.Add(next);
        }

        return number;
    }

    private void AddChained(LogPiece piece, int first, int last)
    {
        var isForeign = !piece.IsChained && piece.Frame.Record!.StageStep != first;
        if (isForeign)
            Add(
                first, FindingKind.Foreign,
                $"a foreign record (step {piece.Frame.Record!.StageStep} of its stage) stands in the place of record {first}");
        else if (last > first && piece.IsChained)
            Add(
                Begin(first), FindingKind.Changed,
                $"{Which(first)} was changed, and the hashes of records {first} to {last} were computed anew");
        else if (last > first)
            Add(
                first, FindingKind.Changed,
                $"records {first} to {last} were changed or replaced: they follow each other but not the record before");
        else if (piece.IsChained) Add(Begin(first), FindingKind.Changed, $"{Which(first)} was changed, and its hash was computed anew");
        else Add(first, FindingKind.Changed, $"record {first} was changed or replaced: neither its content nor its hash is the sealed one");
    }

    // In long logs only some records' hashes are sealed, so that the change may lie before the record where it shows.
    private int Begin(int number) => ((number - 1) / _log.MarkInterval * _log.MarkInterval) + 1;

    private string Which(int number) => Begin(number) == number ? $"record {number}" : $"one of the records {Begin(number)} to {number}";

    private void FindLackingRecords()
    {
        var lacking = _alignment.Lacking;
        var present = _log.Records - lacking.Count(number => number >= TailStart());
        if (_alignment.CutInside is { } inside) Add(inside, FindingKind.Truncated, $"it is cut inside record {inside} of {_log.Records}");
        else if (present < _log.Records)
            Add(
                present + 1,
                FindingKind.Truncated,
                present == 0 ? $"all {_log.Records} records are missing" : $"it is cut after record {present} of {_log.Records}");
        foreach (var (first, last) in Ranges(lacking.Where(number => number < TailStart() && _alignment.CutInside != number)))
        {
            var what = first == last ? $"record {first} is missing" : $"records {first} to {last} are missing";
            Add(
                first,
                FindingKind.Removed,
                first == 1 ? $"record {last + 1} comes first: {what}" : $"record {last + 1} follows record {first - 1}: {what}");
        }
    }

    /// <summary>The first of the records that are lacking at the log's end.</summary>
    private int TailStart()
    {
        var start = _log.Records + 1;
        for (var i = _alignment.Lacking.Count - 1; i >= 0 && _alignment.Lacking[i] == start - 1; i--) start--;
        return start;
    }

    private void FindMovedRecords()
    {
        foreach (var (piece, after) in _alignment.Doubled)
            Add(piece.Number, FindingKind.Duplicated, $"record {piece.Number} stands twice, the second time after record {after}");
        if (_alignment.Moved.Count == 0) return;
        var doubled = _alignment.Doubled.Select(pair => pair.Piece).ToHashSet();
        var found = _pieces
            .Where(piece => piece.Number is not null && !doubled.Contains(piece))
            .Select(piece => piece.Number!.Value).ToArray();
        var displaced = found.Zip(found.Order()).Where(pair => pair.First != pair.Second).Select(pair => pair.Second).ToArray();
        if (displaced.Length == 2) Add(displaced[0], FindingKind.Reordered, $"records {displaced[0]} and {displaced[1]} are swapped");
        else
            foreach (var (piece, after) in _alignment.Moved)
                Add(
                    piece.Number,
                    FindingKind.Reordered,
                    after == 0
                        ? $"record {piece.Number} comes first: out of order"
                        : $"record {piece.Number} stands after record {after}: out of order");
    }

    private void FindAddedPieces()
    {
        foreach (var stretch in _alignment.Added.GroupBy(pair => pair.After))
        {
            var after = stretch.Key;
            var (records, bytes) = (stretch.Count(pair => pair.Piece.IsRecord), stretch.Sum(pair => pair.Piece.Frame.SizeBytes));
            var what = records == 0 ? $"{bytes} bytes that are no record"
                : records == 1 ? "a foreign record"
                : $"{records} foreign records";
            if (stretch.Select(pair => _origins.Of(pair.Piece)).FirstOrDefault(origin => origin is not null) is { } origin)
                what += $" (record {origin.Record} of {origin.Path})";
            var place = after == 0 ? "before record 1" : $"after record {after}{(after == _log.Records ? ", the last" : "")}";
            Add(
                after == 0 ? 1 : after,
                after == _log.Records ? FindingKind.Appended : FindingKind.Foreign,
                $"{what} {(records > 1 || records == 0 ? "stand" : "stands")} {place}");
        }
    }

    private static IEnumerable<(int First, int Last)> Ranges(IEnumerable<int> numbers)
    {
        (int First, int Last)? range = null;
        foreach (var number in numbers)
        {
            if (range is { } open && number == open.Last + 1)
            {
                range = (open.First, number);
                continue;
            }

            if (range is { } done) yield return done;
            range = (number, number);
        }

        if (range is { } last) yield return last;
    }

    private void Add(int? record, FindingKind kind, string message) =>
        _findings.Add(new RunFinding(_log.Path, record, null, kind, message));
}
