using LlmStageAudit.Checkpoints.Tokenization.AddedTokens;

namespace LlmStageAudit.Checkpoints.Tokenization;

/// <summary>
/// Text to token ids and back, as Hugging Face's tokenizers do it for the same tokenizer.json: added tokens, normalizer,
/// pre-tokenizer, byte-pair model, template; decoder. One instance serves many threads.
/// </summary>
public sealed class Tokenizer
{
    private readonly TokenizerParts _parts;
    private readonly AddedTokenFinder _rawFinder;
    private readonly AddedTokenFinder _normalizedFinder;
    private readonly Dictionary<string, int> _addedIds;
    private readonly HashSet<int> _specialIds;

    private Tokenizer(TokenizerParts parts)
    {
        _parts = parts;
        _rawFinder = new AddedTokenFinder(parts.AddedTokens.Where(token => !token.Normalized).Select(token => (token, token.Content)));
        _normalizedFinder = new AddedTokenFinder(
            parts.AddedTokens.Where(token => token.Normalized).Select(token => (token, parts.Normalizer.Normalize(token.Content))));
        _addedIds = parts.AddedTokens.ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);
        _specialIds = parts.AddedTokens.Where(token => token.Special).Select(token => token.Id).ToHashSet();
    }

    /// <summary>The largest id plus one; a model's embedding has at least so many rows.</summary>
    public int VocabularySize => _parts.TokenOfId.Length;

    /// <param name="path">A tokenizer.json of at most 256 MiB.</param>
    /// <exception cref="TokenizerException">The file is unreadable, contradicts itself, or has a part that is not supported.</exception>
    public static Tokenizer Load(string path) => new(TokenizerReader.Read(path));

    /// <summary>The id of a token as the vocabulary spells it (in byte-level vocabularies a space is U+0120), or null.</summary>
    public int? IdOf(string token) =>
        _addedIds.TryGetValue(token, out var added) ? added : _parts.Model.Vocabulary.TryGetValue(token, out var id) ? id : null;

    /// <summary>The ids of a text, of any length. A lone surrogate counts as U+FFFD.</summary>
    /// <param name="text">Special tokens written out in it become their ids.</param>
    /// <param name="addSpecialTokens">Whether the file's template (a beginning-of-sequence token, say) is put around the ids.</param>
    /// <exception cref="TokenizerException">A character the vocabulary has no answer for.</exception>
    public int[] Encode(string text, bool addSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>((text.Length / 3) + 4);
        var pieces = new List<string>();
        if (addSpecialTokens) ids.AddRange(_parts.Template.Before);
        foreach (var (rawToken, rawText) in _rawFinder.Split(WellFormedText.Of(text)))
        {
            if (rawToken is not null)
            {
                ids.Add(rawToken.Id);
                continue;
            }

            foreach (var (token, part) in _normalizedFinder.Split(_parts.Normalizer.Normalize(rawText)))
            {
                if (token is not null) ids.Add(token.Id);
                else AppendModelIds(part, pieces, ids);
            }
        }

        if (addSpecialTokens) ids.AddRange(_parts.Template.After);
        return [.. ids];
    }

    /// <summary>The text of ids. Bytes that are not UTF-8 (a character cut in two, say) become U+FFFD.</summary>
    /// <exception cref="TokenizerException">An id that no token has.</exception>
    public string Decode(IReadOnlyList<int> ids, bool skipSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var tokens = new List<string>(ids.Count);
        foreach (var id in ids)
        {
            if (skipSpecialTokens && _specialIds.Contains(id)) continue;
            tokens.Add((uint)id < (uint)VocabularySize && _parts.TokenOfId[id] is { } token
                ? token
                : throw TokenizerException.UnknownId(_parts.Path, id, VocabularySize));
        }

        return string.Concat(_parts.Decoder.Decode(tokens));
    }

    private void AppendModelIds(string text, List<string> pieces, List<int> ids)
    {
        pieces.Clear();
        _parts.PreTokenizer.Cut(text, pieces);
        foreach (var piece in pieces) _parts.Model.Append(piece, ids);
    }
}
