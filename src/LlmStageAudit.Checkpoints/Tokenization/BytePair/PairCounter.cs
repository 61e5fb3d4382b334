namespace LlmStageAudit.Checkpoints.Tokenization.BytePair;

/// <summary>How often each pair of adjoining tokens occurs in a text's pieces, kept up to date while pairs are merged.</summary>
internal sealed class PairCounter
{
    private readonly List<string> _spellings = [];
    private readonly Dictionary<string, int> _symbols = new(StringComparer.Ordinal);
    private readonly List<(List<int> Symbols, long Count)> _words = [];
    private readonly Dictionary<(int Left, int Right), long> _counts = [];
    private readonly Dictionary<(int Left, int Right), HashSet<int>> _wordsWith = [];
    private readonly PriorityQueue<(int Left, int Right), Candidate> _candidates = new();

    /// <summary>Counts the pairs of neighbours in all pieces.</summary>
    /// <param name="pieces">Pieces in the byte alphabet, and how often each occurs.</param>
    public PairCounter(IReadOnlyDictionary<string, long> pieces)
    {
        foreach (var (piece, count) in pieces)
        {
            _words.Add((piece.Select(character => SymbolOf(character.ToString())).ToList(), count));
            Count(_words.Count - 1, sign: 1, changed: null);
        }

        foreach (var pair in _counts.Keys) Offer(pair);
    }

    /// <summary>The pair that occurs most often, of equals the smallest in ordinal order; null where none occurs twice.</summary>
    public (string Left, string Right)? MostFrequent()
    {
        while (_candidates.TryPeek(out var pair, out var candidate))
        {
            if (candidate.Count == _counts.GetValueOrDefault(pair)) return candidate.Count > 1 ? (candidate.Left, candidate.Right) : null;

            // The count has changed since; the pair was offered again with its new one.
            _candidates.Dequeue();
        }

        return null;
    }

    /// <summary>Makes the pair one token wherever it occurs; false where another pair has made that token already.</summary>
    public bool Merge(string left, string right)
    {
        var known = _spellings.Count;
        var pair = (_symbols[left], _symbols[right]);
        var merged = SymbolOf(left + right);
        var changed = new HashSet<(int Left, int Right)>();
        foreach (var word in _wordsWith[pair].ToArray())
        {
            Count(word, sign: -1, changed);
            Replace(_words[word].Symbols, pair, merged);
            Count(word, sign: 1, changed);
        }

        foreach (var other in changed) Offer(other);
        return _spellings.Count > known;
    }

    private int SymbolOf(string spelling)
    {
        if (_symbols.TryGetValue(spelling, out var symbol)) return symbol;
        _spellings.Add(spelling);
        return _symbols[spelling] = _spellings.Count - 1;
    }

    private void Count(int word, int sign, HashSet<(int Left, int Right)>? changed)
    {
        var (symbols, count) = _words[word];
        for (var i = 0; i + 1 < symbols.Count; i++)
        {
            var pair = (symbols[i], symbols[i + 1]);
            _counts[pair] = _counts.GetValueOrDefault(pair) + (sign * count);
            if (!_wordsWith.TryGetValue(pair, out var words)) words = _wordsWith[pair] = [];
            if (sign > 0) words.Add(word);
            else words.Remove(word);
            changed?.Add(pair);
        }
    }

    private void Offer((int Left, int Right) pair)
    {
        if (_counts[pair] > 0) _candidates.Enqueue(pair, new Candidate(_counts[pair], _spellings[pair.Left], _spellings[pair.Right]));
    }

    private static void Replace(List<int> symbols, (int Left, int Right) pair, int merged)
    {
        var kept = 0;
        for (var i = 0; i < symbols.Count; i++)
        {
            var isPair = i + 1 < symbols.Count && (symbols[i], symbols[i + 1]) == pair;
            symbols[kept++] = isPair ? merged : symbols[i];
            if (isPair) i++;
        }

        symbols.RemoveRange(kept, symbols.Count - kept);
    }

    private readonly record struct Candidate(long Count, string Left, string Right) : IComparable<Candidate>
    {
        public int CompareTo(Candidate other)
        {
            var byCount = other.Count.CompareTo(Count);
            if (byCount != 0) return byCount;
            var byLeft = string.CompareOrdinal(Left, other.Left);
            return byLeft != 0 ? byLeft : string.CompareOrdinal(Right, other.Right);
        }
    }
}
