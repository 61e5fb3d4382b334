using System.Buffers;
using LlmStageAudit.Checkpoints.Tokenization.Steps;
using Microsoft.ML.Tokenizers;

namespace LlmStageAudit.Checkpoints.Tokenization;

/// <summary>
/// Text to token ids and back, as Hugging Face's tokenizers do it for the same tokenizer.json: added tokens, normalizer,
/// pre-tokenizer, byte-pair model, template; decoder. One instance serves many threads.
/// </summary>
/// <remarks>
/// What it has from <see cref="Tokenizer"/> encodes the text alone: only <see cref="Encode"/> and <see cref="EncodeWithOffsets"/> put
/// the file's template around it. Offsets there, and counts of characters, are in the normalized text where one is returned, else in
/// the given one; a token for a part of a character has the whole character as its offset, and no limit cuts a character. Without
/// normalization ids are those of the file without its normalizer; without pre-tokenization no step cuts the text, but it is spelled in
/// bytes where the file's pre-tokenizer does so. A lone surrogate counts as U+FFFD.
/// </remarks>
public sealed class HuggingFaceTokenizer : Tokenizer
{
    private static readonly EncodeSettings WholeText = new()
    {
        ConsiderNormalization = true, ConsiderPreTokenization = true, MaxTokenCount = int.MaxValue,
    };

    private readonly TokenizerParts _parts;
    private readonly TextEncoder _encoder;
    private readonly HashSet<int> _specialIds;

    private HuggingFaceTokenizer(TokenizerParts parts)
    {
        _parts = parts;
        _encoder = new TextEncoder(parts);
        _specialIds = [.. parts.AddedTokens.Where(token => token.Special).Select(token => token.Id)];
    }

    /// <summary>The largest id plus one; a model's embedding has at least so many rows.</summary>
    public int VocabularySize => _parts.TokenOfId.Length;

    /// <summary>The file's normalizer, or null. By itself it knows no added tokens, which an encoding leaves as they are.</summary>
    public override Normalizer? Normalizer => _parts.Normalizer;

    /// <summary>The file's pre-tokenizer, or null. By itself it knows no added tokens, which an encoding sets apart before.</summary>
    public override PreTokenizer? PreTokenizer => _parts.PreTokenizer;

    /// <summary>What the file puts around a text.</summary>
    internal SequenceTemplate Template => _parts.Template;

    /// <summary>Whether the file was saved by one who cut texts on the left.</summary>
    internal bool CutsLeft => _parts.CutsLeft;

    /// <summary>Loads a tokenizer file.</summary>
    /// <param name="path">A tokenizer.json of at most 256 MiB.</param>
    /// <exception cref="CheckpointException">The file is unreadable, contradicts itself, or has a part that is not supported.</exception>
    public static HuggingFaceTokenizer Load(string path) => new(TokenizerParts.Read(path));

    /// <summary>The id of a token as the vocabulary spells it (in byte-level vocabularies a space is U+0120), or null.</summary>
    public int? IdOf(string token) =>
        _parts.Model.Vocabulary.TryGetValue(token, out var id)
            ? id
            : _parts.AddedTokens.FirstOrDefault(added => added.Content == token)?.Id;

    /// <summary>The ids of a text, of any length.</summary>
    /// <param name="text">Special tokens written out in it become their ids.</param>
    /// <param name="addSpecialTokens">Whether the file's template (a beginning-of-sequence token, say) is put around the ids.</param>
    /// <exception cref="CheckpointException">A character the vocabulary has no answer for.</exception>
    public int[] Encode(string text, bool addSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = _encoder.Encode(text, WholeText, tracks: false).Ids;
        if (addSpecialTokens)
        {
            ids.InsertRange(0, _parts.Template.Before);
            ids.AddRange(_parts.Template.After);
        }

        return [.. ids];
    }

    /// <summary>
    /// The tokens of a text, each with the part of the given text it comes from, in UTF-16 units, by the rules of Hugging Face's
    /// tokenizers: what a normalizer composes comes from its first character, what it puts in from the character before; a template's
    /// token has the empty range 0..0, and white space at a token's ends is left out where the file says so (trim_offsets).
    /// </summary>
    /// <exception cref="CheckpointException">A character the vocabulary has no answer for.</exception>
    public IReadOnlyList<EncodedToken> EncodeWithOffsets(string text, bool addSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(text);
        var encoded = _encoder.Encode(text, WholeText, tracks: true);
        var tokens = encoded.Ids.Zip(encoded.GivenOffsets, Token).Select(_parts.Template.Trim);
        if (!addSpecialTokens) return [.. tokens];
        return
        [
            .. _parts.Template.Before.Select(id => Token(id, (0, 0))), .. tokens, .. _parts.Template.After.Select(id => Token(id, (0, 0))),
        ];
    }

    /// <summary>The text of ids, special tokens among it. Bytes that are not UTF-8 (a character cut in two, say) become U+FFFD.</summary>
    /// <exception cref="CheckpointException">An id that no token has.</exception>
    public override string Decode(IEnumerable<int> ids) => Decode(ids, skipSpecialTokens: false);

    /// <inheritdoc cref="Decode(IEnumerable{int})"/>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var tokens = new List<string>();
        foreach (var id in ids)
        {
            if (skipSpecialTokens && _specialIds.Contains(id)) continue;
            tokens.Add(_parts.TokenOf(id) ?? throw CheckpointException.At(_parts.Path, $"no token has the id {id}",
                $"ids of the vocabulary, below {_parts.TokenOfId.Length}", "was it made by another tokenizer?"));
        }

        return Text(tokens);
    }

    /// <summary>
    /// Writes the text of ids, special tokens among it. Where it does not fit, what is written and the text of the ids that were not
    /// consumed are together the whole text; that may take a longer span than the text of a single id.
    /// </summary>
    /// <returns><see cref="OperationStatus.InvalidData"/> where an id that no token has follows the ids that were consumed.</returns>
    public override OperationStatus Decode(IEnumerable<int> ids, Span<char> destination, out int idsConsumed, out int charsWritten)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var all = ids.Select(_parts.TokenOf).ToList();
        var tokens = all.TakeWhile(static token => token is not null).Select(static token => token!).ToList();
        var text = Text(tokens);
        idsConsumed = tokens.Count;
        if (text.Length > destination.Length) (idsConsumed, text) = Fitting(tokens, text, destination.Length);
        text.CopyTo(destination);
        charsWritten = text.Length;
        return idsConsumed < tokens.Count ? OperationStatus.DestinationTooSmall
            : tokens.Count < all.Count ? OperationStatus.InvalidData
            : OperationStatus.Done;
    }

    /// <inheritdoc/>
    protected override EncodeResults<int> EncodeToIds(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        var given = text ?? textSpan.ToString();
        var limit = Limit(settings);
        var encoded = _encoder.Encode(given, settings, tracks: false);
        if (encoded.Ids.Count > limit) encoded = _encoder.Encode(given, settings, tracks: true);
        return new EncodeResults<int>
        {
            Tokens = encoded.Ids.Count > limit ? encoded.Ids[..limit] : encoded.Ids,
            NormalizedText = encoded.NormalizedText,
            CharsConsumed = encoded.EndOfFirst(limit),
        };
    }

    /// <inheritdoc/>
    protected override EncodeResults<EncodedToken> EncodeToTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings)
    {
        var encoded = _encoder.Encode(text ?? textSpan.ToString(), settings, tracks: true);
        return new EncodeResults<EncodedToken>
        {
            Tokens = encoded.Ids.Zip(encoded.Offsets, Token).Take(Limit(settings)).ToArray(),
            NormalizedText = encoded.NormalizedText,
            CharsConsumed = encoded.EndOfFirst(settings.MaxTokenCount),
        };
    }

    /// <inheritdoc/>
    protected override int CountTokens(string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings) =>
        EncodeToIds(text, textSpan, settings).Tokens.Count;

    /// <inheritdoc/>
    protected override int GetIndexByTokenCount(
        string? text, ReadOnlySpan<char> textSpan, EncodeSettings settings, bool fromEnd, out string? normalizedText, out int tokenCount)
    {
        if (!fromEnd)
        {
            var first = EncodeToIds(text, textSpan, settings);
            (normalizedText, tokenCount) = (first.NormalizedText, first.Tokens.Count);
            return first.CharsConsumed;
        }

        var limit = Limit(settings);
        settings.MaxTokenCount = int.MaxValue;
        var encoded = _encoder.Encode(text ?? textSpan.ToString(), settings, tracks: true);
        (normalizedText, tokenCount) = (encoded.NormalizedText, Math.Min(limit, encoded.Ids.Count));
        return encoded.StartOfLast(limit);
    }

    /// <summary>
    /// As many of the first tokens as fit and can be told from the rest, so that their text and the text of those behind them are
    /// together the text of all. A cut that goes through a character is no such place.
    /// </summary>
    private (int Count, string Text) Fitting(List<string> tokens, string whole, int length)
    {
        // The more tokens the longer the text, but for a character that is cut in two: where that misleads, fewer are found than fit.
        var (count, tooMany) = (0, tokens.Count);
        while (tooMany - count > 1)
        {
            var middle = count + ((tooMany - count) / 2);
            if (Text(tokens[..middle]).Length <= length) count = middle;
            else tooMany = middle;
        }

        for (; count > 0; count--)
        {
            var text = Text(tokens[..count]);
            if (text.Length <= length && text + Text(tokens[count..]) == whole) return (count, text);
        }

        return (0, "");
    }

    private string Text(IReadOnlyList<string> tokens) => string.Concat(_parts.Decoder(tokens));

    private static int Limit(EncodeSettings settings)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(settings.MaxTokenCount, nameof(settings));
        return settings.MaxTokenCount;
    }

    private EncodedToken Token(int id, (int Start, int End) offset) => new(id, _parts.TokenOfId[id]!, offset.Start..offset.End);
}
