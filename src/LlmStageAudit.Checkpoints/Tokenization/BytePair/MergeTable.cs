namespace LlmStageAudit.Checkpoints.Tokenization.BytePair;

/// <summary>
/// (left id, right id) to (rank, merged id): open addressing over one array, filled once and then only read. The hash is
/// salted per process, so that no file can aim at its collisions.
/// </summary>
internal sealed class MergeTable
{
    private static readonly ulong Salt = (ulong)Random.Shared.NextInt64();

    private readonly Entry[] _entries;
    private readonly int _mask;

    public MergeTable(int count)
    {
        var size = 16;
        while (size < 2L * count) size *= 2;
        _entries = new Entry[size];
        _mask = size - 1;
    }

    /// <summary>A pair given twice takes the later rank, as Hugging Face's map does.</summary>
    public void Set(int left, int right, int rank, int merged)
    {
        var key = Key(left, right);
        var slot = Slot(key);
        while (_entries[slot].Key != 0 && _entries[slot].Key != key) slot = (slot + 1) & _mask;
        _entries[slot] = new Entry(key, rank, merged);
    }

    public bool TryGet(int left, int right, out int rank, out int merged)
    {
        var key = Key(left, right);
        for (var slot = Slot(key); ; slot = (slot + 1) & _mask)
        {
            ref readonly var entry = ref _entries[slot];
            if (entry.Key == key)
            {
                (rank, merged) = (entry.Rank, entry.Merged);
                return true;
            }

            if (entry.Key == 0)
            {
                (rank, merged) = (-1, -1);
                return false;
            }
        }
    }

    // One more than the pair, so that zero is free to mean an empty slot.
    private static ulong Key(int left, int right) => (((ulong)(uint)left << 32) | (uint)right) + 1;

    private int Slot(ulong key)
    {
        key = (key ^ Salt) * 0x9E3779B97F4A7C15;
        key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9;
        return (int)(key >> 31) & _mask;
    }

    private readonly record struct Entry(ulong Key, int Rank, int Merged);
}
