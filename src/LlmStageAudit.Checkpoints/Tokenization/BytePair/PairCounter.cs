namespace LlmStageAudit.Checkpoints.Tokenization.BytePair;

/// <summary>How often each pair of adjoining tokens occurs in a text's pieces, kept up to date while pairs are merged.</summary>
internal sealed class PairCounter
{
    private readonly List<(List<string> Symbols, long Count)> _words = [];
    private readonly Dictionary<(string Left, string Right), (long Count, HashSet<int> Words)> _pairs = [];

    /// <summary>Counts the pairs of neighbours in all pieces.</summary>
    /// <param name="pieces">Pieces in the byte alphabet, and how often each occurs.</param>
    public PairCounter(IReadOnlyDictionary<string, long> pieces)
    {
        foreach (var (piece, count) in pieces)
        {
            _words.Add(([.. piece.Select(character => character.ToString())], count));
            Count(_words.Count - 1, sign: 1);
        }
    }

    /// <summary>The pair that occurs most often, of equals the smallest in ordinal order; null where none occurs twice.</summary>
    public (string Left, string Right)? MostFrequent() => _pairs
        .Where(pair => pair.Value.Count > 1)
        .OrderByDescending(pair => pair.Value.Count)
        .ThenBy(pair => pair.Key.Left, StringComparer.Ordinal)
        .ThenBy(pair => pair.Key.Right, StringComparer.Ordinal)
        .Select(pair => ((string, string)?)pair.Key)
        .FirstOrDefault();

    /// <summary>Makes the pair one token wherever it occurs.</summary>
    public void Merge(string left, string right)
    {
        foreach (var word in _pairs[(left, right)].Words.ToArray())
        {
            Count(word, sign: -1);
            Replace(_words[word].Symbols, left, right);
            Count(word, sign: 1);
        }
    }

    private void Count(int word, int sign)
    {
        var (symbols, count) = _words[word];
        foreach (var pair in symbols.Zip(symbols.Skip(1)))
        {
            var (before, words) = _pairs.TryGetValue(pair, out var known) ? known : (0, []);
            _pairs[pair] = (before + (sign * count), words);
            if (sign > 0) words.Add(word);
            else words.Remove(word);
        }
    }

    private static void Replace(List<string> symbols, string left, string right)
    {
        var kept = 0;
        for (var i = 0; i < symbols.Count; i++)
        {
            var isPair = i + 1 < symbols.Count && symbols[i] == left && symbols[i + 1] == right;
            symbols[kept++] = isPair ? left + right : symbols[i];
            if (isPair) i++;
        }

        symbols.RemoveRange(kept, symbols.Count - kept);
    }
}
