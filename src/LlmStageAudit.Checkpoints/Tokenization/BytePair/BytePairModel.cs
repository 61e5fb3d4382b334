using System.Buffers;
using System.Collections.Concurrent;

namespace LlmStageAudit.Checkpoints.Tokenization.BytePair;

/// <summary>
/// Byte-pair encoding of one piece: a symbol for each character, unknown characters as their UTF-8 bytes (byte
/// fallback) or as the unknown token, then merges. Safe to use from many threads.
/// </summary>
internal sealed class BytePairModel
{
    private const int CachedPieceLength = 64;
    private const int CacheCapacity = 1 << 16;

    private readonly string _where;
    private readonly Dictionary<string, int> _vocabulary;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _idOfSpan;
    private readonly int[] _idOfChar = new int[char.MaxValue + 1];
    private readonly MergeTable _merges;

    /// <summary>Stands for characters outside the vocabulary; without one they are errors. A run may be one unknown token.</summary>
    private readonly int? _unknownId;
    private readonly string? _unknownToken;
    private readonly bool _fusesUnknown;

    /// <summary>Tokens like &lt;0xE2&gt; that spell characters outside the vocabulary, or null.</summary>
    private readonly int[]? _idOfByte;

    /// <summary>A piece that is a token as a whole is not built from merges.</summary>
    private readonly bool _ignoresMerges;
    private readonly ConcurrentDictionary<string, int[]> _cache = new();
    private int _cached;

    /// <summary>Reads the "model" of tokenizer.json.</summary>
    public BytePairModel(JsonSite site)
    {
        var type = site.Find("type")?.Text() ?? "BPE";
        if (type != "BPE") throw site.Unsupported($"the model '{type}'", "BPE");
        site.Only(
            "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges",
            "vocab", "merges");
        site.RequireInert(
            "dropout", static value => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var rate) && rate == 0);
        site.RequireInert("continuing_subword_prefix", IsEmptyText);
        site.RequireInert("end_of_word_suffix", IsEmptyText);
        _where = site.Where;
        _vocabulary = ReadVocabulary(site.Required("vocab"));
        _merges = ReadMerges(site.Required("merges"));
        // One that is not in the vocabulary is missed only where a character is unknown, which may never be.
        _unknownToken = site.Find("unk_token")?.Text();
        _unknownId = _unknownToken is not null && _vocabulary.TryGetValue(_unknownToken, out var unknown) ? unknown : null;
        _fusesUnknown = site.Flag("fuse_unk", absent: false);
        _ignoresMerges = site.Flag("ignore_merges", absent: false);
        _idOfSpan = _vocabulary.GetAlternateLookup<ReadOnlySpan<char>>();
        Array.Fill(_idOfChar, -1);
        foreach (var (token, id) in _vocabulary)
        {
            if (token.Length == 1) _idOfChar[token[0]] = id;
        }

        if (site.Flag("byte_fallback", absent: false))
            _idOfByte = [.. Enumerable.Range(0, 256).Select(value => _vocabulary.GetValueOrDefault($"<0x{value:X2}>", -1))];
    }

    public IReadOnlyDictionary<string, int> Vocabulary => _vocabulary;

    /// <summary>Appends the ids of a piece and, where asked for, the part of it each stands for: a byte for its whole character.</summary>
    /// <exception cref="CheckpointException">A character that no token, byte or unknown token stands for.</exception>
    public void Append(string piece, List<int> ids, List<(int Start, int End)>? extents)
    {
        if (piece.Length > CachedPieceLength || extents is not null)
        {
            AppendUncached(piece, ids, extents);
        }
        else if (_cache.TryGetValue(piece, out var cached))
        {
            ids.AddRange(cached.AsSpan());
        }
        else
        {
            var start = ids.Count;
            AppendUncached(piece, ids, null);
            if (Volatile.Read(ref _cached) >= CacheCapacity) return;
            if (_cache.TryAdd(piece, ids.GetRange(start, ids.Count - start).ToArray())) Interlocked.Increment(ref _cached);
        }
    }

    private void AppendUncached(string piece, List<int> ids, List<(int Start, int End)>? extents)
    {
        if (_ignoresMerges && _vocabulary.TryGetValue(piece, out var whole))
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
            MergeWalk.Append(spelling.Symbols, _merges, ids, firstSymbols);
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

    private static bool IsEmptyText(JsonElement value) => value.ValueKind == JsonValueKind.String && value.ValueEquals(string.Empty);

    private static Dictionary<string, int> ReadVocabulary(JsonSite site)
    {
        site.RequireKind(JsonValueKind.Object, "an object of tokens and their ids");
        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        var seen = new HashSet<int>();
        foreach (var property in site.Element.EnumerateObject())
        {
            var token = site.NameOf(property);
            var id = new JsonSite(property.Value, $"{site.Where}['{token}']").Id();
            if (!vocabulary.TryAdd(token, id)) throw site.Fault($"'{token}' stands there twice", "each token once");
            if (!seen.Add(id)) throw site.Fault($"two tokens have the id {id}", "each id once");
        }

        return vocabulary;
    }

    private MergeTable ReadMerges(JsonSite site)
    {
        site.RequireKind(JsonValueKind.Array, "an array of pairs");
        var merges = new MergeTable(site.Element.GetArrayLength());

        // A pair given twice takes the later rank, as Hugging Face's map does.
        foreach (var (rank, merge) in site.Items(JsonSite.IdLimit).Index())
        {
            var (left, right) = Pair(merge);
            merges.Set(IdOf(merge, left), IdOf(merge, right), rank, IdOf(merge, left + right));
        }

        return merges;
    }

    private static (string Left, string Right) Pair(JsonSite site)
    {
        string[] parts = site.Element.ValueKind == JsonValueKind.Array
            ? site.Items(limit: 2).Select(static part => part.Text()).ToArray()
            : site.Text().Split(' ');
        return parts is [{ Length: > 0 } left, { Length: > 0 } right]
            ? (left, right)
            : throw site.Fault($"{parts.Length} parts", "two tokens: \"a b\" or [\"a\", \"b\"]");
    }

    private int IdOf(JsonSite site, string token) =>
        _vocabulary.TryGetValue(token, out var id)
            ? id
            : throw site.Fault($"the token '{token}' is not in the vocabulary", "tokens of the vocabulary");

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
                if (unknownStart >= 0) spelling.Add(_unknownId!.Value, unknownStart, at);
                unknownStart = -1;
                spelling.Add(id, at, at + width);
            }
            else if (!TrySpellBytes(character, at, ref spelling))
            {
                if (_unknownId is not { } unknown) throw NoSymbol(character.ToString());
                if (unknownStart >= 0 && !_fusesUnknown)
                {
                    spelling.Add(unknown, unknownStart, at);
                    unknownStart = at;
                }

                if (unknownStart < 0) unknownStart = at;
            }
        }

        if (unknownStart >= 0) spelling.Add(_unknownId!.Value, unknownStart, piece.Length);
    }

    private CheckpointException NoSymbol(string symbol) => CheckpointException.At(
        _where,
        $"the vocabulary has no token for {string.Join(' ', symbol.EnumerateRunes().Select(rune => $"U+{rune.Value:X4}"))}",
        "a token for every character, an unknown token or byte fallback",
        _unknownToken is not null ? $"the unknown token {MessageText.Quote(_unknownToken)} is not in the vocabulary either" : null);

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
