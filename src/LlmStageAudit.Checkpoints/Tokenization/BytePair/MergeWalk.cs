using System.Numerics;

namespace LlmStageAudit.Checkpoints.Tokenization.BytePair;

/// <summary>
/// Byte-pair merging of one piece: the pair of lowest rank first, of equal ranks the leftmost. A linked list over the
/// symbols and a heap of candidate pairs make it O(n log n). Source: Sennrich, Haddow, Birch 2016.
/// </summary>
internal static class MergeWalk
{
    private const int None = -1;

    private struct Symbol
    {
        public int Id;
        public int Previous;
        public int Next;
    }

    /// <summary>Appends the ids that are left when no pair merges any more and, where asked for, the symbol each begins with.</summary>
    public static void Append(ReadOnlySpan<int> symbols, MergeTable merges, List<int> ids, List<int>? firstSymbols = null)
    {
        var list = new Symbol[symbols.Length];
        for (var i = 0; i < list.Length; i++)
        {
            list[i] = new Symbol { Id = symbols[i], Previous = i - 1, Next = i + 1 < list.Length ? i + 1 : None };
        }

        var candidates = new PriorityQueue<int, ulong>(list.Length);
        for (var i = 0; i < list.Length; i++) Offer(list, merges, i, candidates);
        while (candidates.TryDequeue(out var at, out var priority))
        {
            ref var left = ref list[at];
            if (left.Id == None || left.Next == None) continue;
            ref var right = ref list[left.Next];

            // A candidate is stale when its symbols have changed since: then the pair that is there now has another rank.
            if (!merges.TryGet(left.Id, right.Id, out var merge) || Priority(merge.Rank, at) != priority) continue;
            left.Id = merge.Merged;
            left.Next = right.Next;
            right.Id = None;
            if (left.Next != None) list[left.Next].Previous = at;
            if (left.Previous != None) Offer(list, merges, left.Previous, candidates);
            Offer(list, merges, at, candidates);
        }

        for (var at = list.Length > 0 ? 0 : None; at != None; at = list[at].Next)
        {
            ids.Add(list[at].Id);
            firstSymbols?.Add(at);
        }
    }

    private static void Offer(Symbol[] list, MergeTable merges, int at, PriorityQueue<int, ulong> candidates)
    {
        var next = list[at].Next;
        if (next != None && merges.TryGet(list[at].Id, list[next].Id, out var merge))
            candidates.Enqueue(at, Priority(merge.Rank, at));
    }

    private static ulong Priority(int rank, int at) => ((ulong)(uint)rank << 32) | (uint)at;
}

/// <summary>
/// (left id, right id) to (rank, merged id): open addressing over one array, filled once and then only read. The hash is
/// salted per process, so that no file can aim at its collisions.
/// </summary>
internal sealed class MergeTable(int count)
{
    private static readonly ulong Salt = (ulong)Random.Shared.NextInt64();

    private readonly Merge[] _merges = new Merge[BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, 2 * count))];

    /// <summary>A pair given twice takes the later rank, as Hugging Face's map does.</summary>
    public void Set(int left, int right, int rank, int merged)
    {
        var key = Key(left, right);
        Place(key) = new Merge(key, rank, merged);
    }

    public bool TryGet(int left, int right, out Merge merge)
    {
        merge = Place(Key(left, right));
        return merge.Key != 0;
    }

    // One more than the pair, so that zero is free to mean an empty place.
    private static ulong Key(int left, int right) => (((ulong)(uint)left << 32) | (uint)right) + 1;

    /// <summary>Where a key is, or would be.</summary>
    private ref Merge Place(ulong key)
    {
        var hash = (key ^ Salt) * 0x9E3779B97F4A7C15;
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
        for (var at = (int)(hash >> 31); ; at++)
        {
            ref var merge = ref _merges[at & (_merges.Length - 1)];
            if (merge.Key == key || merge.Key == 0) return ref merge;
        }
    }

    public readonly record struct Merge(ulong Key, int Rank, int Merged);
}
