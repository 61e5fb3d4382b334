using System.Collections;

namespace LlmStageAudit.Artifacts.Trajectories;

/// <summary>
/// The frames of a log in order: about 100 bytes and four per id of the batch each, so that logs of many steps stay light.
/// Records are made when they are asked for.
/// </summary>
internal sealed class TrajectoryIndex : IReadOnlyList<TrajectoryEntry>
{
    private const int HashBytes = TrajectoryFrame.HashBytes;

    private readonly List<Place> _places = [];
    private readonly List<StepHeader> _headers = [];
    private byte[] _hashes = new byte[64 * HashBytes];

    public TrajectoryIndex() => Steps = new StepList(this);

    public int Count => _places.Count;

    /// <summary>Of all frames; 0 of an empty log.</summary>
    public int PayloadBytes { get; private set; }

    public BatchIdTable Ids { get; } = new();

    /// <summary>A view that grows with the index and outlives the file.</summary>
    public IReadOnlyList<StepRecord> Steps { get; }

    /// <summary>Where the last frame ends, or the first one would begin.</summary>
    public long End => Count == 0 ? TrajectoryFrame.PreambleBytes : EndOf(Count - 1);

    public TrajectoryEntry this[int index] =>
        new(Steps[index], _places[index].Offset, _places[index].HeaderBytes, PayloadBytes, _hashes.AsMemory(index * HashBytes, HashBytes));

    public StepHeader Header(int index) => _headers[index];

    public (long Offset, int HeaderBytes) Frame(int index) => (_places[index].Offset, _places[index].HeaderBytes);

    public ReadOnlySpan<byte> Hash(int index) => _hashes.AsSpan(index * HashBytes, HashBytes);

    public void Add(long offset, int headerBytes, int payloadBytes, in StepHeader header, ReadOnlySpan<byte> hash)
    {
        if ((Count + 1) * HashBytes > _hashes.Length) Array.Resize(ref _hashes, checked(2 * _hashes.Length));
        hash.CopyTo(_hashes.AsSpan(Count * HashBytes));
        _places.Add(new Place(offset, headerBytes));
        _headers.Add(header);
        PayloadBytes = payloadBytes;
    }

    public void RemoveLast()
    {
        _places.RemoveAt(Count - 1);
        _headers.RemoveAt(_headers.Count - 1);
        if (Count == 0) PayloadBytes = 0;
    }

    public IEnumerator<TrajectoryEntry> GetEnumerator()
    {
        for (var i = 0; i < Count; i++) yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private long EndOf(int index) =>
        _places[index].Offset + TrajectoryFrame.FramingBytes + _places[index].HeaderBytes + PayloadBytes + TrajectoryFrame.HashBytes;

    private readonly record struct Place(long Offset, int HeaderBytes);

    private sealed class StepList(TrajectoryIndex index) : IReadOnlyList<StepRecord>
    {
        public int Count => index.Count;

        public StepRecord this[int step] => index._headers[step].ToRecord(index.Ids);

        public IEnumerator<StepRecord> GetEnumerator()
        {
            for (var i = 0; i < Count; i++) yield return this[i];
        }

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
