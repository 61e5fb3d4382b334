using System.Security.Cryptography;

namespace LlmStageAudit.Artifacts.Trajectories;

/// <summary>One walk over a log's frames: where each lies, what its header says, and on request whether its hash holds.</summary>
internal sealed class TrajectoryScan : IDisposable
{
    private const int ChunkBytes = 1 << 20;

    private readonly FileStream _stream;
    private readonly string _path;
    private readonly byte[] _genesisHash;
    private readonly byte[] _chunk = new byte[ChunkBytes];
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public TrajectoryScan(FileStream stream, string path, string genesis)
    {
        _stream = stream;
        _path = path;
        _genesisHash = TrajectoryFrame.GenesisHash(genesis);
    }

    public List<TrajectoryEntry> Entries { get; } = [];

    public long End => Entries.Count == 0 ? TrajectoryFrame.PreambleBytes : Entries[^1].End;

    public ReadOnlySpan<byte> HeadHash => HashBefore(Entries.Count);

    public void CheckPreamble()
    {
        Span<byte> preamble = stackalloc byte[TrajectoryFrame.PreambleBytes];
        _stream.Position = 0;
        if (_stream.ReadAtLeast(preamble, preamble.Length, throwOnEndOfStream: false) < preamble.Length
            || !preamble.SequenceEqual(TrajectoryFrame.Preamble))
        {
            throw TrajectoryException.NotALog(_path);
        }
    }

    /// <summary>Adds the next frame.</summary>
    /// <returns>False where the file ends before another whole frame, exactly or inside one.</returns>
    /// <exception cref="TrajectoryException">What lies there is no frame that can follow the last.</exception>
    public bool TryAdvance()
    {
        var offset = End;
        var number = Entries.Count + 1;
        var length = _stream.Length;
        if (length - offset < TrajectoryFrame.FramingBytes) return false;

        var framing = new byte[TrajectoryFrame.FramingBytes];
        _stream.Position = offset;
        _stream.ReadExactly(framing);
        if (TrajectoryFrame.ReadFraming(framing, out var headerBytes, out var payloadBytes) is { } fault)
        {
            throw TrajectoryException.Damaged(_path, number, offset, fault);
        }

        if (Entries.Count > 0 && payloadBytes != Entries[0].PayloadBytes)
        {
            throw TrajectoryException.Damaged(
                _path, number, offset, $"a gradient of {payloadBytes} bytes after one of {Entries[0].PayloadBytes} bytes");
        }

        var frameBytes = (long)TrajectoryFrame.FramingBytes + headerBytes + payloadBytes + TrajectoryFrame.HashBytes;
        if (length - offset < frameBytes) return false;

        var header = new byte[headerBytes];
        _stream.ReadExactly(header);
        if (TrajectoryFrame.ReadHeader(header, out var record) is { } headerFault)
        {
            throw TrajectoryException.Damaged(_path, number, offset + TrajectoryFrame.FramingBytes, headerFault);
        }

        if (Entries.Count > 0 && (record!.Step <= Entries[^1].Record.Step || record.StageStep <= Entries[^1].Record.StageStep))
        {
            throw TrajectoryException.Damaged(_path, number, offset, $"step {record.Step} after step {Entries[^1].Record.Step}");
        }

        _stream.Position = offset + frameBytes - TrajectoryFrame.HashBytes;
        var hash = new byte[TrajectoryFrame.HashBytes];
        _stream.ReadExactly(hash);
        Entries.Add(new TrajectoryEntry(record!, offset, headerBytes, payloadBytes, hash));
        return true;
    }

    /// <summary>Adds frames whose hashes hold, up to a number or to where a torn tail begins.</summary>
    /// <exception cref="TrajectoryException">What is wrong is no torn tail: a whole frame follows it.</exception>
    public void AdvanceOverWhole(int count)
    {
        while (Entries.Count < count)
        {
            var offset = End;
            var number = Entries.Count + 1;
            try
            {
                if (!TryAdvance())
                {
                    if (FindsFrameAfter(offset)) throw TrajectoryException.Damaged(_path, number, offset, "a record longer than the room before whole ones");
                    return;
                }

                Verify(number - 1);
            }
            catch (TrajectoryException) when (!FindsFrameAfter(offset))
            {
                if (Entries.Count == number) Entries.RemoveAt(number - 1);
                return;
            }
        }
    }

    /// <summary>
    /// Whether a whole frame begins after an offset: one whose hash holds over the 32 bytes before it, which are the hash of the frame
    /// that was there, changed or not.
    /// </summary>
    public bool FindsFrameAfter(long offset)
    {
        var length = _stream.Length;
        var window = new byte[Math.Min(ChunkBytes, length)];
        var at = Math.Max(offset + 1, TrajectoryFrame.PreambleBytes + TrajectoryFrame.HashBytes);
        while (length - at > TrajectoryFrame.FramingBytes + TrajectoryFrame.HashBytes)
        {
            _stream.Position = at;
            var read = _stream.ReadAtLeast(window, window.Length, throwOnEndOfStream: false);
            for (var from = 0; window.AsSpan(from, read - from).IndexOf(TrajectoryFrame.MagicBytes) is >= 0 and var found; from += found + 1)
            {
                if (IsWholeFrame(at + from + found, length)) return true;
            }

            // The magic may lie across two windows.
            at += Math.Max(1, read - (TrajectoryFrame.MagicBytes.Length - 1));
        }

        return false;
    }

    /// <summary>Reads a frame again and compares its hash.</summary>
    /// <param name="index">From 0.</param>
    /// <param name="gradient">Gets the payload where it is not empty; then its length is the payload's.</param>
    public void Verify(int index, Span<byte> gradient = default)
    {
        var entry = Entries[index];
        _sha256.AppendData(HashBefore(index));
        _stream.Position = entry.Offset;
        Append(TrajectoryFrame.FramingBytes + (long)entry.HeaderBytes);
        if (gradient.IsEmpty)
        {
            Append(entry.PayloadBytes);
        }
        else
        {
            _stream.ReadExactly(gradient);
            _sha256.AppendData(gradient);
        }

        Span<byte> hash = stackalloc byte[TrajectoryFrame.HashBytes];
        _sha256.GetHashAndReset(hash);
        if (hash.SequenceEqual(entry.Hash)) return;
        if (index == 0) throw TrajectoryException.OtherGenesis(_path, entry.Offset);
        throw TrajectoryException.HashMismatch(_path, index + 1, entry.Offset);
    }

    public void Dispose() => _sha256.Dispose();

    private ReadOnlySpan<byte> HashBefore(int index) => index == 0 ? _genesisHash : Entries[index - 1].Hash;

    private bool IsWholeFrame(long offset, long length)
    {
        if (length - offset < TrajectoryFrame.FramingBytes + TrajectoryFrame.HashBytes) return false;
        Span<byte> framing = stackalloc byte[TrajectoryFrame.FramingBytes];
        _stream.Position = offset;
        _stream.ReadExactly(framing);
        if (TrajectoryFrame.ReadFraming(framing, out var headerBytes, out var payloadBytes) is not null) return false;
        var hashed = (long)TrajectoryFrame.FramingBytes + headerBytes + payloadBytes;
        if (length - offset < hashed + TrajectoryFrame.HashBytes) return false;
        _stream.Position = offset - TrajectoryFrame.HashBytes;
        Append(TrajectoryFrame.HashBytes + hashed);
        Span<byte> expected = stackalloc byte[TrajectoryFrame.HashBytes];
        _sha256.GetHashAndReset(expected);
        Span<byte> found = stackalloc byte[TrajectoryFrame.HashBytes];
        _stream.ReadExactly(found);
        return found.SequenceEqual(expected);
    }

    private void Append(long count)
    {
        while (count > 0)
        {
            var chunk = _chunk.AsSpan(0, (int)Math.Min(count, ChunkBytes));
            _stream.ReadExactly(chunk);
            _sha256.AppendData(chunk);
            count -= chunk.Length;
        }
    }
}
