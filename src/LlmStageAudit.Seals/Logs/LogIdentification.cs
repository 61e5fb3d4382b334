using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Seals.Logs;

/// <summary>
/// Tells which of the sealed records the pieces of a damaged log are. A record is known by its sealed hash, or by leading to a known one;
/// since a record's hash covers the hash before it, a known hash also says what the record's content must be.
/// </summary>
internal sealed class LogIdentification
{
    private readonly LogFile _file;
    private readonly SealedLog _log;
    private readonly byte[] _genesisHash;
    private readonly Dictionary<string, int> _numbers = [];
    private readonly List<LogPiece> _pieces = [];

    private LogIdentification(LogFile file, SealedLog log, byte[] genesisHash)
    {
        (_file, _log, _genesisHash) = (file, log, genesisHash);
        for (var i = 0; i < log.Marks.Count; i++) _numbers.TryAdd(log.Marks[i], (i + 1) * log.MarkInterval);
        if (log.Records > 0) _numbers.TryAdd(log.HeadSha256, log.Records);
    }

    /// <summary>The pieces of the file in its order.</summary>
    /// <param name="file">The damaged log.</param>
    /// <param name="log">What it must be.</param>
    /// <param name="genesisHash">What the log's chain begins with.</param>
    /// <param name="cancellation">Asked between records or files.</param>
    public static List<LogPiece> Of(LogFile file, SealedLog log, byte[] genesisHash, CancellationToken cancellation)
    {
        var identification = new LogIdentification(file, log, genesisHash);
        identification.Cut(cancellation);
        identification.NumberBackwards(cancellation);
        identification.NumberForwards(cancellation);
        identification.NumberDisplaced();
        return identification._pieces;
    }

    private void Cut(CancellationToken cancellation)
    {
        for (var offset = (long)TrajectoryFrame.PreambleBytes; offset < _file.SizeBytes;)
        {
            cancellation.ThrowIfCancellationRequested();
            var found = _file.FrameAt(offset, _log.GradientBytes) ?? _file.FindFrame(offset + 1, _log.GradientBytes);
            var start = found?.Offset ?? _file.SizeBytes;
            if (start > offset) _pieces.Add(new LogPiece(new LogFrame(offset, start, Record: null, Hash: [])));
            if (found is not null) _pieces.Add(new LogPiece(found));
            offset = found?.End ?? _file.SizeBytes;
        }
    }

    private void NumberBackwards(CancellationToken cancellation)
    {
        for (var i = _pieces.Count - 1; i >= 0; i--)
        {
            cancellation.ThrowIfCancellationRequested();
            var piece = _pieces[i];
            if (!piece.IsRecord) continue;
            piece.IsChained = StoredBefore(i) is { } before && Follows(piece, before, piece.Frame.Hash);
            if (_numbers.TryGetValue(Convert.ToHexStringLower(piece.Frame.Hash), out var number))
                (piece.Number, piece.SealedHash) = (number, piece.Frame.Hash);
            else if (LeadsToNext(i, piece.Frame.Hash) is { } led) (piece.Number, piece.SealedHash) = (led, piece.Frame.Hash);
            else MendHash(i);
        }
    }

    /// <summary>The record of a changed hash: its content, hashed again, is the sealed hash or leads to the record after it.</summary>
    private void MendHash(int i)
    {
        var piece = _pieces[i];
        var number = piece.Frame.Record!.StageStep;
        if (number > _log.Records || (Sealed(number - 1) ?? StoredBefore(i)) is not { } before) return;
        var hash = HashAfter(piece, before);
        var isSealed = Sealed(number) is { } expected ? hash.AsSpan().SequenceEqual(expected) : LeadsToNext(i, hash) == number;
        if (isSealed) (piece.Number, piece.SealedHash, piece.IsHashChanged) = (number, hash, true);
    }

    /// <summary>In logs with few marks, records before a changed one are known only by following from the mark before.</summary>
    private void NumberForwards(CancellationToken cancellation)
    {
        var (number, hash) = (0, _genesisHash);
        foreach (var piece in _pieces)
        {
            cancellation.ThrowIfCancellationRequested();
            var isNext = piece is { IsRecord: true, Number: null, IsChained: true }
                && number + 1 <= _log.Records && Sealed(number + 1) is null
                && hash is not null && Follows(piece, hash, piece.Frame.Hash);
            if (isNext) (piece.Number, piece.SealedHash, piece.IsAssumed) = (number + 1, piece.Frame.Hash, true);
            if (piece is { Number: { } known, IsHashChanged: false })
            {
                var before = Sealed(known - 1) ?? (known - 1 == number ? hash : null);
                piece.IsContentChanged = before is not null && !Follows(piece, before, piece.SealedHash!);
            }

            (number, hash) = piece.Number is { } own ? (own, piece.SealedHash) : (-1, null);
        }
    }

    /// <summary>Records far from their place, known by following the record before it where that stands.</summary>
    private void NumberDisplaced()
    {
        var hashes = new Dictionary<int, byte[]>();
        foreach (var piece in _pieces.Where(piece => piece.Number is not null)) hashes.TryAdd(piece.Number!.Value, piece.SealedHash!);
        foreach (var piece in _pieces.Where(piece => piece is { IsRecord: true, Number: null }))
        {
            var number = piece.Frame.Record!.StageStep;
            var isKnown = number <= _log.Records && Sealed(number) is null && !hashes.ContainsKey(number)
                && hashes.GetValueOrDefault(number - 1) is { } before && Follows(piece, before, piece.Frame.Hash);
            if (!isKnown) continue;
            (piece.Number, piece.SealedHash) = (number, piece.Frame.Hash);
            hashes[number] = piece.Frame.Hash;
        }
    }

    private int? LeadsToNext(int i, byte[] hash)
    {
        if (i + 1 >= _pieces.Count || _pieces[i + 1] is not { Number: > 1 and { } next } following) return null;
        return Follows(following, hash, following.SealedHash!) ? next - 1 : null;
    }

    private byte[]? StoredBefore(int i) => i == 0 ? _genesisHash : _pieces[i - 1].IsRecord ? _pieces[i - 1].Frame.Hash : null;

    private byte[]? Sealed(int number)
    {
        if (number == 0) return _genesisHash;
        if (number == _log.Records) return Convert.FromHexString(_log.HeadSha256);
        return number % _log.MarkInterval == 0 && number / _log.MarkInterval <= _log.Marks.Count
            ? Convert.FromHexString(_log.Marks[(number / _log.MarkInterval) - 1])
            : null;
    }

    private bool Follows(LogPiece piece, byte[] before, byte[] hash) => HashAfter(piece, before).AsSpan().SequenceEqual(hash);

    private byte[] HashAfter(LogPiece piece, byte[] before) => _file.HashOf(before, piece.Frame.Offset, piece.Frame.HashOffset);
}
