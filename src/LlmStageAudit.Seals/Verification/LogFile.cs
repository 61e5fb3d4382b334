using System.Security.Cryptography;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Seals.Verification;

/// <summary>A stretch of a log's bytes: a record, or bytes that are none.</summary>
/// <param name="Offset">Where it begins in the file.</param>
/// <param name="End">Where it ends.</param>
/// <param name="Hash">The hash stored at its end; null where the bytes are no record.</param>
/// <param name="Fits">Whether that is the hash of its content after the 32 bytes before it, which are the hash of what stood there.</param>
internal sealed record LogPiece(long Offset, long End, byte[]? Hash, bool Fits)
{
    public bool IsRecord => Hash is not null;
}

/// <summary>A log's bytes, read without trusting any of them.</summary>
internal sealed class LogFile : IDisposable
{
    private const int ChunkBytes = 1 << 16;

    private readonly FileStream _stream;
    private readonly FrameWindow _window;
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Opens the log as long as it is now; others may go on writing it.</summary>
    /// <exception cref="IOException">The file is absent or cannot be read.</exception>
    public LogFile(string path)
    {
        _stream = ForeignFile.OpenRead(path, FileShare.ReadWrite | FileShare.Delete);
        _window = new FrameWindow(_stream.SafeFileHandle);
        SizeBytes = _stream.Length;
    }

    public long SizeBytes { get; }

    public bool HasPreamble() => SizeBytes >= TrajectoryFrame.PreambleBytes
        && _window.At(0, TrajectoryFrame.PreambleBytes, 0).SequenceEqual(TrajectoryFrame.Preamble);

    /// <summary>Whether the first record was written for this run and stage.</summary>
    public bool BeginsWith(string genesis) =>
        Pieces(TrajectoryFrame.GenesisHash(genesis), gradientBytes: null, default).FirstOrDefault() is { Fits: true };

    /// <summary>All bytes after the preamble, in their order.</summary>
    /// <param name="genesisHash">What the chain begins with.</param>
    /// <param name="gradientBytes">What every gradient takes; null: any length will do.</param>
    /// <param name="cancellation">Asked between records.</param>
    public IEnumerable<LogPiece> Pieces(byte[] genesisHash, int? gradientBytes, CancellationToken cancellation)
    {
        for (var offset = (long)TrajectoryFrame.PreambleBytes; offset < SizeBytes;)
        {
            cancellation.ThrowIfCancellationRequested();
            var record = RecordAt(offset, genesisHash, gradientBytes) ?? FindRecord(offset + 1, genesisHash, gradientBytes);
            var start = record?.Offset ?? SizeBytes;
            if (start > offset) yield return new LogPiece(offset, start, Hash: null, Fits: false);
            if (record is not null) yield return record;
            offset = record?.End ?? SizeBytes;
        }
    }

    /// <summary>The hash that a record's content has after a given hash.</summary>
    public byte[] HashAfter(ReadOnlySpan<byte> previous, LogPiece record)
    {
        _sha256.AppendData(previous);
        for (var (at, end) = (record.Offset, record.End - TrajectoryFrame.HashBytes); at < end; at += ChunkBytes)
            _sha256.AppendData(_window.At(at, (int)Math.Min(end - at, ChunkBytes), 0));
        return _sha256.GetHashAndReset();
    }

    public void Dispose()
    {
        _sha256.Dispose();
        _stream.Dispose();
    }

    /// <summary>The record that starts at a place; null where none does.</summary>
    private LogPiece? RecordAt(long offset, byte[] genesisHash, int? gradientBytes)
    {
        if (SizeBytes - offset < TrajectoryFrame.FramingBytes) return null;
        var framing = _window.At(offset, TrajectoryFrame.FramingBytes, 0);
        if (TrajectoryFrame.ReadFraming(framing, out var header, out var payload) is not null) return null;
        if (gradientBytes is { } expected && payload != expected) return null;
        var end = offset + TrajectoryFrame.FramingBytes + header + payload + TrajectoryFrame.HashBytes;
        if (end > SizeBytes) return null;
        if (StepHeader.Read(_window.At(offset + TrajectoryFrame.FramingBytes, header, 0), ids: null, out _) is not null) return null;
        var previous = offset == TrajectoryFrame.PreambleBytes ? genesisHash : HashBefore(offset);
        var record = new LogPiece(offset, end, HashBefore(end), Fits: false);
        return record with { Fits = HashAfter(previous, record).AsSpan().SequenceEqual(record.Hash) };
    }

    private byte[] HashBefore(long end) => _window.At(end - TrajectoryFrame.HashBytes, TrajectoryFrame.HashBytes, 0).ToArray();

    /// <summary>The first record that starts at or after a place; null where none does.</summary>
    private LogPiece? FindRecord(long from, byte[] genesisHash, int? gradientBytes)
    {
        while (from < SizeBytes)
        {
            var count = (int)Math.Min(ChunkBytes, SizeBytes - from);
            // Copied, since looking at a candidate moves the window.
            var chunk = _window.At(from, count, 0).ToArray();
            for (
                var at = 0;
                chunk.AsSpan(at).IndexOf(TrajectoryFrame.MagicBytes) is >= 0 and var found;
                at += found + 1)
            {
                if (RecordAt(from + at + found, genesisHash, gradientBytes) is { } record) return record;
            }

            // A magic may lie across the chunks' border.
            from += Math.Max(1, count - (TrajectoryFrame.MagicBytes.Length - 1));
        }

        return null;
    }
}
