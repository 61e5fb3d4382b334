using System.Security.Cryptography;

namespace LlmStageAudit.Records.Trajectories;

/// <summary>One walk over a log's frames: where each lies, what its header says, and on request whether its hash holds.</summary>
/// <param name="stream">Remains the caller's. Its length now is what counts: what is appended later is not seen.</param>
/// <param name="path">The log, for messages.</param>
/// <param name="genesis">What the log must begin with.</param>
internal sealed class TrajectoryScan(FileStream stream, string path, string genesis) : IDisposable
{
    private const int ChunkBytes = 1 << 16;
    private const int HashBytes = TrajectoryFrame.HashBytes;

    private readonly byte[] _genesisHash = TrajectoryFrame.GenesisHash(genesis);
    private readonly FrameWindow _window = new(stream.SafeFileHandle);
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly BatchIdTable _ids = new();
    private readonly List<StepRecord> _steps = [];
    private readonly List<(FramePlace Place, byte[] Hash)> _frames = [];

    /// <summary>Of the file when the walk began, in bytes.</summary>
    public long Length { get; } = stream.Length;

    /// <summary>Frames walked over so far.</summary>
    public int Count => _steps.Count;

    /// <summary>What their headers say; outlives the file.</summary>
    public IReadOnlyList<StepRecord> Steps => _steps;

    /// <summary>Of each frame; 0 of an empty log.</summary>
    public int PayloadBytes => Count == 0 ? 0 : _frames[0].Place.PayloadBytes;

    /// <summary>Where the last frame ends, or the first one would begin.</summary>
    public long End => Count == 0 ? TrajectoryFrame.PreambleBytes : _frames[^1].Place.End;

    public ReadOnlySpan<byte> HeadHash => HashBefore(Count);

    public void CheckPreamble()
    {
        if (!_window.HasPreamble(Length)) throw TrajectoryException.NotALog(path);
    }

    /// <summary>Adds the next frame.</summary>
    /// <returns>False where the file ends before another whole frame, exactly or inside one.</returns>
    /// <exception cref="TrajectoryException">What lies there is no frame that can follow the last.</exception>
    public bool TryAdvance()
    {
        var offset = End;
        if (Length - offset < TrajectoryFrame.FramingBytes) return false;
        if (_window.FrameAt(offset, Count == 0 ? null : PayloadBytes, out var place) is { } fault) throw Damaged(offset, fault);
        if (Length < place.End) return false;
        var text = _window.At(place.HeaderOffset, place.HeaderBytes, place.PayloadBytes);
        if (StepHeader.Read(text, _ids, out var step) is { } headerFault) throw Damaged(place.HeaderOffset, headerFault);
        if (Count > 0 && (step.Step <= _steps[^1].Step || step.StageStep <= _steps[^1].StageStep))
            throw Damaged(offset, $"step {step.Step} after step {_steps[^1].Step}");

        // The next frame's header comes right after, and most often with the same read.
        _frames.Add((place, _window.At(place.HashOffset, HashBytes, place.PayloadBytes).ToArray()));
        _steps.Add(step);
        return true;
    }

    /// <summary>Adds frames whose hashes hold, up to a number or to where a torn tail begins.</summary>
    /// <exception cref="TrajectoryException">What is wrong is no torn tail: a whole frame follows it.</exception>
    public void AdvanceOverWhole(int count)
    {
        while (Count < count)
        {
            var (offset, before) = (End, Count);
            try
            {
                if (!TryAdvance())
                {
                    if (FindsFrameAfter(offset)) throw Damaged(offset, "a record longer than the room before whole ones");
                    return;
                }

                Verify(before);
            }
            catch (TrajectoryException) when (!FindsFrameAfter(offset))
            {
                _steps.RemoveRange(before, Count - before);
                _frames.RemoveRange(before, _frames.Count - before);
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
        var at = Math.Max(offset + 1, TrajectoryFrame.PreambleBytes + HashBytes);
        while (Length - at > TrajectoryFrame.FramingBytes + HashBytes)
        {
            var read = (int)Math.Min(window.Length, Length - at);
            _window.Read(window.AsSpan(0, read), read, at);
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
        var (place, expected) = _frames[index];
        _sha256.AppendData(HashBefore(index));
        Append(place.Offset, gradient.IsEmpty ? place.HashOffset : place.PayloadOffset);
        _window.Read(gradient, gradient.Length, place.PayloadOffset);
        _sha256.AppendData(gradient);
        if (HashIs(expected)) return;
        throw index == 0
            ? TrajectoryException.OtherGenesis(path, place.Offset)
            : TrajectoryException.HashMismatch(path, index + 1, place.Offset);
    }

    public void Dispose() => _sha256.Dispose();

    private ReadOnlySpan<byte> HashBefore(int index) => index == 0 ? _genesisHash : _frames[index - 1].Hash;

    // Of the frame that would come next.
    private TrajectoryException Damaged(long offset, string found) => TrajectoryException.Damaged(path, Count + 1, offset, found);

    private bool IsWholeFrame(long offset)
    {
        if (Length - offset < TrajectoryFrame.FramingBytes + HashBytes) return false;
        if (_window.FrameAt(offset, null, out var place) is not null || Length < place.End) return false;
        Append(offset - HashBytes, place.HashOffset);
        return HashIs(_window.At(place.HashOffset, HashBytes));
    }

    private bool HashIs(ReadOnlySpan<byte> expected)
    {
        Span<byte> hash = stackalloc byte[HashBytes];
        _sha256.GetHashAndReset(hash);
        return hash.SequenceEqual(expected);
    }

    private void Append(long from, long end)
    {
        while (from < end)
        {
            var chunk = _window.At(from, (int)Math.Min(end - from, ChunkBytes));
            _sha256.AppendData(chunk);
            from += chunk.Length;
        }
    }
}
