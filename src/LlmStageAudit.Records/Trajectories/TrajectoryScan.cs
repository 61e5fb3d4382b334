using System.Security.Cryptography;

namespace LlmStageAudit.Records.Trajectories;

/// <summary>One walk over a log's frames: where each lies, what its header says, and on request whether its hash holds.</summary>
internal sealed class TrajectoryScan : IDisposable
{
    private const int ChunkBytes = 1 << 16;

    private readonly FileStream _stream;
    private readonly string _path;
    private readonly byte[] _genesisHash;
    private readonly FrameWindow _window;
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Begins a walk; the stream remains the caller's.</summary>
    /// <param name="stream">Its length now is what counts: what is appended later is not seen.</param>
    /// <param name="path">The log, for messages.</param>
    /// <param name="genesis">What the log must begin with.</param>
    public TrajectoryScan(FileStream stream, string path, string genesis)
    {
        _stream = stream;
        _path = path;
        _genesisHash = TrajectoryFrame.GenesisHash(genesis);
        Length = stream.Length;
        _window = new FrameWindow(stream.SafeFileHandle);
    }

    /// <summary>Of the file when the walk began, in bytes.</summary>
    public long Length { get; }

    public TrajectoryIndex Entries { get; } = new();

    public long End => Entries.End;

    public ReadOnlySpan<byte> HeadHash => HashBefore(Entries.Count);

    public void CheckPreamble()
    {
        if (Length < TrajectoryFrame.PreambleBytes
            || !_window.At(0, TrajectoryFrame.PreambleBytes, 0).SequenceEqual(TrajectoryFrame.Preamble))
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
        if (Length - offset < TrajectoryFrame.FramingBytes) return false;

        var framing = _window.At(offset, TrajectoryFrame.FramingBytes, Entries.PayloadBytes);
        if (TrajectoryFrame.ReadFraming(framing, out var headerBytes, out var payloadBytes) is { } fault)
        {
            throw TrajectoryException.Damaged(_path, number, offset, fault);
        }

        if (Entries.Count > 0 && payloadBytes != Entries.PayloadBytes)
        {
            throw TrajectoryException.Damaged(
                _path, number, offset, $"a gradient of {payloadBytes} bytes after one of {Entries.PayloadBytes} bytes");
        }

        var frameBytes = (long)TrajectoryFrame.FramingBytes + headerBytes + payloadBytes + TrajectoryFrame.HashBytes;
        if (Length - offset < frameBytes) return false;

        var text = _window.At(offset + TrajectoryFrame.FramingBytes, headerBytes, payloadBytes);
        if (StepHeader.Read(text, Entries.Ids, out var header) is { } headerFault)
        {
            throw TrajectoryException.Damaged(_path, number, offset + TrajectoryFrame.FramingBytes, headerFault);
        }

        if (Entries.Count > 0)
        {
            var last = Entries.Header(Entries.Count - 1);
            if (header.Step <= last.Step || header.StageStep <= last.StageStep)
                throw TrajectoryException.Damaged(_path, number, offset, $"step {header.Step} after step {last.Step}");
        }

        // The next frame's header comes right after, and most often with the same read.
        var hash = _window.At(offset + frameBytes - TrajectoryFrame.HashBytes, TrajectoryFrame.HashBytes, payloadBytes);
        Entries.Add(offset, headerBytes, payloadBytes, header, hash);
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
                    if (FindsFrameAfter(offset))
                        throw TrajectoryException.Damaged(_path, number, offset, "a record longer than the room before whole ones");
                    return;
                }

                Verify(number - 1);
            }
            catch (TrajectoryException) when (!FindsFrameAfter(offset))
            {
                if (Entries.Count == number) Entries.RemoveLast();
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
        var window = new byte[Math.Min(ChunkBytes, Length)];
        var at = Math.Max(offset + 1, TrajectoryFrame.PreambleBytes + TrajectoryFrame.HashBytes);
        while (Length - at > TrajectoryFrame.FramingBytes + TrajectoryFrame.HashBytes)
        {
            var read = (int)Math.Min(window.Length, Length - at);
            ReadExactly(window.AsSpan(0, read), at);
            for (
                var from = 0;
                window.AsSpan(from, read - from).IndexOf(TrajectoryFrame.MagicBytes) is >= 0 and var found;
                from += found + 1)
            {
                if (IsWholeFrame(at + from + found)) return true;
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
        var (offset, headerBytes) = Entries.Place(index);
        var headBytes = TrajectoryFrame.FramingBytes + headerBytes;
        _sha256.AppendData(HashBefore(index));
        Append(offset, headBytes + (gradient.IsEmpty ? (long)Entries.PayloadBytes : 0));
        if (!gradient.IsEmpty)
        {
            ReadExactly(gradient, offset + headBytes);
            _sha256.AppendData(gradient);
        }

        Span<byte> hash = stackalloc byte[TrajectoryFrame.HashBytes];
        _sha256.GetHashAndReset(hash);
        if (hash.SequenceEqual(Entries.Hash(index))) return;
        if (index == 0) throw TrajectoryException.OtherGenesis(_path, offset);
        throw TrajectoryException.HashMismatch(_path, index + 1, offset);
    }

    public void Dispose() => _sha256.Dispose();

    private ReadOnlySpan<byte> HashBefore(int index) => index == 0 ? _genesisHash : Entries.Hash(index - 1);

    private bool IsWholeFrame(long offset)
    {
        if (Length - offset < TrajectoryFrame.FramingBytes + TrajectoryFrame.HashBytes) return false;
        var framing = _window.At(offset, TrajectoryFrame.FramingBytes, 0);
        if (TrajectoryFrame.ReadFraming(framing, out var headerBytes, out var payloadBytes) is not null) return false;
        var hashed = (long)TrajectoryFrame.FramingBytes + headerBytes + payloadBytes;
        if (Length - offset < hashed + TrajectoryFrame.HashBytes) return false;
        Append(offset - TrajectoryFrame.HashBytes, TrajectoryFrame.HashBytes + hashed);
        Span<byte> expected = stackalloc byte[TrajectoryFrame.HashBytes];
        _sha256.GetHashAndReset(expected);
        return _window.At(offset + hashed, TrajectoryFrame.HashBytes, 0).SequenceEqual(expected);
    }

    private void Append(long offset, long count)
    {
        while (count > 0)
        {
            var chunk = _window.At(offset, (int)Math.Min(count, ChunkBytes), 0);
            _sha256.AppendData(chunk);
            offset += chunk.Length;
            count -= chunk.Length;
        }
    }

    private void ReadExactly(Span<byte> bytes, long offset)
    {
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(_stream.SafeFileHandle, bytes, offset);
            if (read == 0) throw new EndOfStreamException($"the file ends before byte {offset + bytes.Length}");
            bytes = bytes[read..];
            offset += read;
        }
    }
}
