using System.Buffers;
using System.Security.Cryptography;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Seals.Logs;

/// <summary>
/// A log's bytes, read without trusting any of them: records where there are records, hashes computed from content, and the next
/// place where a record starts after bytes that are none.
/// </summary>
internal sealed class LogFile : IDisposable
{
    private const int ChunkBytes = 1 << 16;

    private readonly FileStream _stream;
    private readonly byte[] _chunk = ArrayPool<byte>.Shared.Rent(ChunkBytes);
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Opens the log; others may go on writing it.</summary>
    /// <exception cref="IOException">The file is absent or cannot be read.</exception>
    public LogFile(string path) =>
        _stream = ForeignFile.OpenRead(path, FileShare.ReadWrite | FileShare.Delete);

    public long SizeBytes => _stream.Length;

    public bool HasPreamble()
    {
        Span<byte> preamble = stackalloc byte[TrajectoryFrame.PreambleBytes];
        return TryRead(0, preamble) && preamble.SequenceEqual(TrajectoryFrame.Preamble);
    }

    /// <summary>The record that starts at a place.</summary>
    /// <param name="offset">From the file's start, in bytes.</param>
    /// <param name="gradientBytes">What every gradient of the log takes; null: any length will do.</param>
    /// <returns>Null where no whole record starts there.</returns>
    public LogFrame? FrameAt(long offset, long? gradientBytes)
    {
        if (LengthsAt(offset) is not { } lengths || (gradientBytes is { } expected && lengths.Payload != expected)) return null;
        var header = new byte[lengths.Header];
        if (!TryRead(offset + TrajectoryFrame.FramingBytes, header)) return null;
        var ids = new BatchIdTable();
        if (StepHeader.Read(header, ids, out var read) is not null) return null;
        var end = lengths.End(offset);
        var hash = new byte[TrajectoryFrame.HashBytes];
        return TryRead(end - hash.Length, hash) ? new LogFrame(offset, end, read.ToRecord(ids), hash) : null;
    }

    /// <summary>
    /// The end and the stored hash of the record at a place, its header not looked at; null where there is no room for one.
    /// </summary>
    public (long End, byte[] Hash, int PayloadBytes)? SkipAt(long offset)
    {
        if (LengthsAt(offset) is not { } lengths) return null;
        var hash = new byte[TrajectoryFrame.HashBytes];
        var end = lengths.End(offset);
        return TryRead(end - hash.Length, hash) ? (end, hash, lengths.Payload) : null;
    }

    /// <summary>The hash that the content between two places has after a given hash.</summary>
    public byte[] HashOf(ReadOnlySpan<byte> previous, long offset, long end)
    {
        _sha256.AppendData(previous);
        _stream.Position = offset;
        for (var left = end - offset; left > 0;)
        {
            var read = _stream.Read(_chunk, 0, (int)Math.Min(left, ChunkBytes));
            if (read == 0) break;
            _sha256.AppendData(_chunk, 0, read);
            left -= read;
        }

        return _sha256.GetHashAndReset();
    }

    /// <summary>The first record that starts at or after a place.</summary>
    public LogFrame? FindFrame(long from, long? gradientBytes)
    {
        while (from < SizeBytes)
        {
            _stream.Position = from;
            var read = _stream.ReadAtLeast(_chunk.AsSpan(0, ChunkBytes), ChunkBytes, throwOnEndOfStream: false);
            var candidates = new List<long>();
            for (var at = 0; _chunk.AsSpan(at, read - at).IndexOf(TrajectoryFrame.MagicBytes) is >= 0 and var found; at += found + 1)
                candidates.Add(from + at + found);
            foreach (var candidate in candidates)
            {
                if (FrameAt(candidate, gradientBytes) is { } frame) return frame;
            }

            if (read < ChunkBytes) return null;
            // A magic may lie across the chunks' border.
            from += ChunkBytes - (TrajectoryFrame.MagicBytes.Length - 1);
        }

        return null;
    }

    public void Dispose()
    {
        _sha256.Dispose();
        _stream.Dispose();
        ArrayPool<byte>.Shared.Return(_chunk);
    }

    private FrameLengths? LengthsAt(long offset)
    {
        Span<byte> framing = stackalloc byte[TrajectoryFrame.FramingBytes];
        if (!TryRead(offset, framing) || TrajectoryFrame.ReadFraming(framing, out var header, out var payload) is not null) return null;
        var lengths = new FrameLengths(header, payload);
        return lengths.End(offset) <= SizeBytes ? lengths : null;
    }

    private bool TryRead(long offset, Span<byte> bytes)
    {
        _stream.Position = offset;
        return _stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length;
    }

    private readonly record struct FrameLengths(int Header, int Payload)
    {
        public long End(long offset) => offset + TrajectoryFrame.FramingBytes + Header + Payload + TrajectoryFrame.HashBytes;
    }
}

/// <summary>A stretch of a log's bytes: a record, or bytes that are none.</summary>
/// <param name="Offset">Where it begins in the file.</param>
/// <param name="End">Where it ends.</param>
/// <param name="Record">What its header says; null where the bytes are no record.</param>
/// <param name="Hash">The hash stored at its end; empty where the bytes are no record.</param>
internal sealed record LogFrame(long Offset, long End, StepRecord? Record, byte[] Hash)
{
    public long SizeBytes => End - Offset;

    /// <summary>Where the stored hash begins.</summary>
    public long HashOffset => End - TrajectoryFrame.HashBytes;
}
