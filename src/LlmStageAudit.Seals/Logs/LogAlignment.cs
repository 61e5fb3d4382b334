namespace LlmStageAudit.Seals.Logs;

/// <summary>
/// Lays the pieces of a damaged log beside the sealed records: the longest ascending row of known records stays where it is, the others
/// were moved or doubled, and pieces that are no known record stand in the places of the records that are lacking there.
/// </summary>
internal sealed class LogAlignment
{
    private readonly IReadOnlyList<LogPiece> _pieces;
    private readonly SealedLog _log;
    private readonly long _fileBytes;

    private LogAlignment(IReadOnlyList<LogPiece> pieces, SealedLog log, long fileBytes) =>
        (_pieces, _log, _fileBytes) = (pieces, log, fileBytes);

    /// <summary>Known records a second time, each with the record it follows.</summary>
    public List<(LogPiece Piece, int After)> Doubled { get; } = [];

    /// <summary>Known records that are not in their place, each with the record it follows.</summary>
    public List<(LogPiece Piece, int After)> Moved { get; } = [];

    /// <summary>Pieces in the place of a record, in order.</summary>
    public List<(LogPiece Piece, int Number)> Replaced { get; } = [];

    /// <summary>Pieces in no record's place, each with the record it follows.</summary>
    public List<(LogPiece Piece, int After)> Added { get; } = [];

    /// <summary>Records with nothing in their place, ascending.</summary>
    public List<int> Lacking { get; } = [];

    /// <summary>The record that the file ends inside of; null where it does not.</summary>
    public int? CutInside { get; private set; }

    public static LogAlignment Of(IReadOnlyList<LogPiece> pieces, SealedLog log, long fileBytes)
    {
        var alignment = new LogAlignment(pieces, log, fileBytes);
        alignment.Align();
        return alignment;
    }

    private void Align()
    {
        var backbone = LongestAscendingRow();
        var placed = backbone.Select(index => _pieces[index].Number!.Value).ToHashSet();
        var moved = new HashSet<int>();
        var stretches = new List<(int After, int Before, List<LogPiece> Unknown)>();
        var (last, unknown) = (0, new List<LogPiece>());
        for (var i = 0; i < _pieces.Count; i++)
        {
            var piece = _pieces[i];
            if (backbone.Contains(i))
            {
                stretches.Add((last, piece.Number!.Value, unknown));
                (last, unknown) = (piece.Number.Value, []);
            }
            else if (piece.Number is { } number)
            {
                if (placed.Contains(number) || !moved.Add(number)) Doubled.Add((piece, last));
                else Moved.Add((piece, last));
            }
            else
            {
                unknown.Add(piece);
            }
        }

        stretches.Add((last, _log.Records + 1, unknown));
        foreach (var (after, before, pieces) in stretches)
            Resolve(after, before, pieces, [.. Enumerable.Range(after + 1, before - after - 1).Where(number => !moved.Contains(number))]);
    }

    private void Resolve(int after, int before, List<LogPiece> unknown, List<int> lacking)
    {
        var isEnd = before > _log.Records;
        for (var i = 0; i < unknown.Count; i++)
        {
            var piece = unknown[i];
            if (lacking.Count == 0)
            {
                Added.Add((piece, after));
                continue;
            }

            if (piece.IsRecord)
            {
                // A record's own step number settles its place where several are lacking.
                var at = Math.Max(0, lacking.IndexOf(piece.Frame.Record!.StageStep));
                if (lacking.Count - at < CountRecords(unknown, i)) at = 0;
                Lacking.AddRange(lacking[..at]);
                Replaced.Add((piece, lacking[at]));
                lacking.RemoveRange(0, at + 1);
                continue;
            }

            if (isEnd && i == unknown.Count - 1 && piece.Frame.End == _fileBytes && IsShort(piece))
            {
                CutInside = lacking[0];
                continue;
            }

            var places = Math.Clamp(PlacesOf(piece), 1, Math.Max(1, lacking.Count - CountRecords(unknown, i + 1)));
            Replaced.AddRange(lacking[..places].Select(number => (piece, number)));
            lacking.RemoveRange(0, places);
        }

        Lacking.AddRange(lacking);
    }

    private static int CountRecords(List<LogPiece> pieces, int from) => pieces.Skip(from).Count(piece => piece.IsRecord);

    // The file lost bytes, and what stands at its end is less than a record.
    private bool IsShort(LogPiece piece) => (_log.SizeBytes < 0 || _fileBytes < _log.SizeBytes) && PlacesOf(piece) <= 1;

    private int PlacesOf(LogPiece piece)
    {
        if (_log.SizeBytes <= 0 || _log.Records == 0) return 1;
        return (int)Math.Min(_log.Records, Math.Round(piece.Frame.SizeBytes / ((double)_log.SizeBytes / _log.Records)));
    }

    /// <summary>Places in the list of the pieces that make it up.</summary>
    private HashSet<int> LongestAscendingRow()
    {
        var tails = new List<int>();
        var before = new int[_pieces.Count];
        for (var i = 0; i < _pieces.Count; i++)
        {
            if (_pieces[i].Number is not { } number) continue;
            var (low, high) = (0, tails.Count);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (_pieces[tails[middle]].Number < number) low = middle + 1;
                else high = middle;
            }

            before[i] = low == 0 ? -1 : tails[low - 1];
            if (low == tails.Count) tails.Add(i);
            // Of two copies the earlier stays.
            else if (_pieces[tails[low]].Number != number) tails[low] = i;
        }

        var row = new HashSet<int>();
        for (var i = tails.Count == 0 ? -1 : tails[^1]; i >= 0; i = before[i]) row.Add(i);
        return row;
    }
}
