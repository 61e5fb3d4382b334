using System.Collections;

namespace LlmStageAudit.Records.Trajectories;

/// <summary>
/// The frames of a log in order: about 100 bytes and four per id of the batch each, so that logs of many steps stay light.
/// Records are made when they are asked for.
/// </summary>
internal sealed class TrajectoryIndex : IReadOnlyList<TrajectoryEntry>
{
    // Pieces of fewer than 85,000 bytes: larger ones would stay in memory until everything is collected, which a run may not live to see.
    private const int PieceFrames = 1024;
    private const int HashBytes = TrajectoryFrame.HashBytes;

    private readonly List<Frame[]> _frames = [];
    private readonly List<byte[]> _hashes = [];

    public TrajectoryIndex() => Steps = new StepList(this);

    public int Count { get; private set; }

    /// <summary>Of all frames; 0 of an empty log.</summary>
    public int PayloadBytes { get; private set; }

    public BatchIdTable Ids { get; } = new();

    /// <summary>A view that grows with the index and outlives the file.</summary>
    public IReadOnlyList<StepRecord> Steps { get; }

    /// <summary>Where the last frame ends, or the first one would begin.</summary>
    public long End => Count == 0 ? TrajectoryFrame.PreambleBytes : EndOf(At(Count - 1));

    public TrajectoryEntry this[int index] => new(Steps[index], At(index).Offset, At(index).HeaderBytes, PayloadBytes, HashAt(index));

    public StepHeader Header(int index) => At(index).Header;

    public (long Offset, int HeaderBytes) Place(int index) => (At(index).Offset, At(index).HeaderBytes);

    public ReadOnlySpan<byte> Hash(int index) => HashAt(index).Span;

    public void Add(long offset, int headerBytes, int payloadBytes, in StepHeader header, ReadOnlySpan<byte> hash)
    {
        if (Count == _frames.Count * PieceFrames)
        {
            _frames.Add(new Frame[PieceFrames]);
            _hashes.Add(new byte[PieceFrames * HashBytes]);
        }

        _frames[Count / PieceFrames][Count % PieceFrames] = new Frame(offset, headerBytes, header);
        hash.CopyTo(_hashes[Count / PieceFrames].AsSpan(Count % PieceFrames * HashBytes));
        PayloadBytes = payloadBytes;
        Count++;
    }

    /// <summary>Takes the last frame back.</summary>
    public void RemoveLast()
    {
        if (Count == 0) throw new InvalidOperationException("no frame to take back");
        Count--;
        if (Count == 0) PayloadBytes = 0;
    }

    public IEnumerator<TrajectoryEntry> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private ref readonly Frame At(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return ref _frames[index / PieceFrames][index % PieceFrames];
    }

    private ReadOnlyMemory<byte> HashAt(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return _hashes[index / PieceFrames].AsMemory(index % PieceFrames * HashBytes, HashBytes);
    }

    private long EndOf(in Frame frame) => frame.Offset + TrajectoryFrame.FramingBytes + frame.HeaderBytes + PayloadBytes + HashBytes;

    private readonly record struct Frame(long Offset, int HeaderBytes, StepHeader Header);

    private sealed class StepList(TrajectoryIndex index) : IReadOnlyList<StepRecord>
    {
        public int Count => index.Count;

        public StepRecord this[int step] => index.At(step).Header.ToRecord(index.Ids);

        public IEnumerator<StepRecord> GetEnumerator()
        {
            for (var i = 0; i < Count; i++) yield return this[i];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}

/// <summary>Where a frame lies and what its header says.</summary>
/// <param name="Record">What the header says.</param>
/// <param name="Offset">Where the frame begins in the file, in bytes.</param>
/// <param name="HeaderBytes">Length of the header.</param>
/// <param name="PayloadBytes">Length of the gradient; 0 where none was logged.</param>
/// <param name="Hash">Its 32 bytes as the file has them.</param>
internal readonly record struct TrajectoryEntry(
    StepRecord Record,
    long Offset,
    int HeaderBytes,
    int PayloadBytes,
    ReadOnlyMemory<byte> Hash)
{
    public long End => Offset + TrajectoryFrame.FramingBytes + HeaderBytes + PayloadBytes + TrajectoryFrame.HashBytes;
}
