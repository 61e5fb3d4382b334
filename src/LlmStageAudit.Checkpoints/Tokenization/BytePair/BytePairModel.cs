using System.Buffers;
using System.Collections.Concurrent;
using System.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.BytePair;

/// <summary>
/// Byte-pair encoding of one piece: a symbol for each character, unknown characters as their UTF-8 bytes (byte
/// fallback) or as the unknown token, then merges. Safe to use from many threads.
/// </summary>
internal sealed class BytePairModel
{
    private const int CachedPieceLength = 64;
    private const int CacheCapacity = 1 << 16;

    private readonly BytePairRules _rules;
    private readonly string _where;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idOfSpan;
    private readonly int[] _idOfChar = new int[char.MaxValue + 1];
    private readonly int[]? _idOfByte;
    private readonly ConcurrentDictionary<string, int[]> _cache = new();
    private int _cached;

    public BytePairModel(BytePairRules rules, string where)
    {
        (_rules, _where) = (rules, where);
        _idOfSpan = rules.Vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
        Array.Fill(_idOfChar, -1);
        foreach (var (token, id) in rules.Vocabulary)
        {
            if (token.Length == 1) _idOfChar[token[0]] = id;
        }

        if (rules.ByteFallback)
        {
            _idOfByte = Enumerable.Range(0, 256).Select(value => rules.Vocabulary.GetValueOrDefault($"<0x{value:X2}>", -1)).ToArray();
        }
    }

    public IReadOnlyDictionary<string, int> Vocabulary => _rules.Vocabulary;

    /// <exception cref="TokenizerException">A character that no token, byte or unknown token stands for.</exception>
    public void Append(string piece, List<int> ids)
    {
        if (piece.Length > CachedPieceLength)
        {
            AppendUncached(piece, ids);
            return;
        }

        if (!_cache.TryGetValue(piece, out var cached))
        {
            var start = ids.Count;
            AppendUncached(piece, ids);
            if (Volatile.Read(ref _cached) >= CacheCapacity) return;
            if (_cache.TryAdd(piece, ids.GetRange(start, ids.Count - start).ToArray())) Interlocked.Increment(ref _cached);
            return;
        }

        ids.AddRange(cached);
    }

    private void AppendUncached(string piece, List<int> ids)
    {
        if (_rules.IgnoreMerges && _rules.Vocabulary.TryGetValue(piece, out var whole))
        {
            ids.Add(whole);
            return;
        }

        // Byte fallback makes at most three symbols of a UTF-16 unit.
        var symbols = ArrayPool<int>.Shared.Rent(checked(3 * piece.Length));
        try
        {
            MergeWalk.Append(symbols.AsSpan(0, Spell(piece, symbols)), _rules.Merges, ids);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(symbols);
        }
    }

    private int Spell(ReadOnlySpan<char> piece, Span<int> symbols)
    {
        var count = 0;
        var unknownPending = false;
        while (!piece.IsEmpty)
        {
            var width = char.IsHighSurrogate(piece[0]) && piece.Length > 1 ? 2 : 1;
            var id = width == 1 ? _idOfChar[piece[0]] : _idOfSpan.TryGetValue(piece[..2], out var found) ? found : -1;
            if (id >= 0)
            {
                if (unknownPending) symbols[count++] = _rules.UnknownId!.Value;
                unknownPending = false;
                symbols[count++] = id;
            }
            else if (!TrySpellBytes(piece[..width], symbols, ref count))
            {
                if (_rules.UnknownId is not { } unknown) throw TokenizerException.NoSymbol(_where, piece[..width].ToString());
                if (unknownPending && !_rules.FuseUnknown) symbols[count++] = unknown;
                unknownPending = true;
            }

            piece = piece[width..];
        }

        if (unknownPending) symbols[count++] = _rules.UnknownId!.Value;
        return count;
    }

    private bool TrySpellBytes(ReadOnlySpan<char> character, Span<int> symbols, ref int count)
    {
        if (_idOfByte is null) return false;
        Span<byte> bytes = stackalloc byte[4];
        var length = Encoding.UTF8.GetBytes(character, bytes);
        foreach (var value in bytes[..length])
        {
            if (_idOfByte[value] < 0) return false;
        }

        foreach (var value in bytes[..length]) symbols[count++] = _idOfByte[value];
        return true;
    }
}
