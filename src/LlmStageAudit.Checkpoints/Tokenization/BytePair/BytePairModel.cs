using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using LlmStageAudit.Checkpoints.Tokenization.Files;

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

    /// <summary>Appends the ids of one piece.</summary>
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

        ids.AddRange(cached.AsSpan());
    }

    /// <summary>Appends the ids of a piece and, where asked for, the part of it each stands for: a byte for its whole character.</summary>
    /// <exception cref="TokenizerException">A character that no token, byte or unknown token stands for.</exception>
    public void AppendUncached(string piece, List<int> ids, List<(int Start, int End)>? extents = null)
    {
        if (_rules.IgnoreMerges && _rules.Vocabulary.TryGetValue(piece, out var whole))
        {
            ids.Add(whole);
            extents?.Add((0, piece.Length));
            return;
        }

        // Byte fallback makes at most three symbols of a UTF-16 unit.
        var symbols = ArrayPool<int>.Shared.Rent(checked(3 * piece.Length));
        try
        {
            var spelling = new Spelling(symbols, extents is null ? [] : new (int Start, int End)[symbols.Length]);
            Spell(piece, ref spelling);
            var firstSymbols = extents is null ? null : new List<int>();
            MergeWalk.Append(spelling.Symbols, _rules.Merges, ids, firstSymbols);
            for (var i = 0; i < firstSymbols?.Count; i++)
            {
                var next = i + 1 < firstSymbols.Count ? firstSymbols[i + 1] : spelling.Symbols.Length;
                extents!.Add((spelling.Extents[firstSymbols[i]].Start, spelling.Extents[next - 1].End));
            }
        }
        finally
        {
            ArrayPool<int>.Shared.Return(symbols);
        }
    }

    private void Spell(ReadOnlySpan<char> piece, ref Spelling spelling)
    {
        var unknownStart = -1;
        for (int at = 0, width; at < piece.Length; at += width)
        {
            width = char.IsHighSurrogate(piece[at]) && at + 1 < piece.Length ? 2 : 1;
            var character = piece.Slice(at, width);
            var id = width == 1 ? _idOfChar[character[0]] : _idOfSpan.TryGetValue(character, out var found) ? found : -1;
            if (id >= 0)
            {
                if (unknownStart >= 0) spelling.Add(_rules.UnknownId!.Value, unknownStart, at);
                unknownStart = -1;
                spelling.Add(id, at, at + width);
            }
            else if (!TrySpellBytes(character, at, ref spelling))
            {
                if (_rules.UnknownId is not { } unknown) throw TokenizerException.NoSymbol(_where, character.ToString());
                if (unknownStart >= 0 && !_rules.FuseUnknown)
                {
                    spelling.Add(unknown, unknownStart, at);
                    unknownStart = at;
                }
                else if (unknownStart < 0)
                {
                    unknownStart = at;
                }
            }
        }

        if (unknownStart >= 0) spelling.Add(_rules.UnknownId!.Value, unknownStart, piece.Length);
    }

    private bool TrySpellBytes(ReadOnlySpan<char> character, int at, ref Spelling spelling)
    {
        if (_idOfByte is null) return false;
        Span<byte> bytes = stackalloc byte[4];
        var length = Encoding.UTF8.GetBytes(character, bytes);
        foreach (var value in bytes[..length])
        {
            if (_idOfByte[value] < 0) return false;
        }

        foreach (var value in bytes[..length]) spelling.Add(_idOfByte[value], at, at + character.Length);
        return true;
    }

    /// <summary>The symbols of a piece before any merge and, where there is room for them, the parts of it they stand for.</summary>
    private ref struct Spelling(Span<int> symbols, Span<(int Start, int End)> extents)
    {
        private readonly Span<int> _symbols = symbols;
        private int _count;

        public readonly ReadOnlySpan<int> Symbols => _symbols[.._count];

        public readonly Span<(int Start, int End)> Extents { get; } = extents;

        public void Add(int id, int start, int end)
        {
            _symbols[_count] = id;
            if (!Extents.IsEmpty) Extents[_count] = (start, end);
            _count++;
        }
    }
}
