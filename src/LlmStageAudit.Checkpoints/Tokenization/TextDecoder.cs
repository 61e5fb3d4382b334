using System.Buffers;

namespace LlmStageAudit.Checkpoints.Tokenization;

/// <summary>Turns ids into text: their tokens through the decoder of a tokenizer.json.</summary>
internal sealed class TextDecoder(TokenizerParts parts)
{
    private readonly HashSet<int> _specialIds = parts.AddedTokens.Where(token => token.Special).Select(token => token.Id).ToHashSet();

    /// <summary>The text that ids stand for.</summary>
    /// <exception cref="CheckpointException">An id that no token has.</exception>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens)
    {
        var tokens = new List<string>();
        foreach (var id in ids)
        {
            if (skipSpecialTokens && _specialIds.Contains(id)) continue;
            tokens.Add(parts.TokenOf(id) ?? throw CheckpointException.At(parts.Path, $"no token has the id {id}",
                $"ids of the vocabulary, below {parts.TokenOfId.Length}", "was it made by another tokenizer?"));
        }

        return Text(tokens);
    }

    /// <summary>
    /// Writes the text of the first ids: of all, or of as many as fit and can be told from the rest, so that their text and the text of
    /// the ids behind them are together the text of all. A cut that goes through a character is no such place.
    /// </summary>
    public OperationStatus Decode(IEnumerable<int> ids, Span<char> destination, out int idsConsumed, out int charsWritten)
    {
        var all = ids.Select(parts.TokenOf).ToList();
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

    private (int Count, string Text) Fitting(List<string> tokens, string whole, int length)
    {
        // The more tokens the longer the text, but for a character that is cut in two: where that misleads, fewer are found than fit.
        var (count, tooMany) = (0, 1);
        while (tooMany < tokens.Count && Text(tokens[..tooMany]).Length <= length)
        {
            (count, tooMany) = (tooMany, Math.Min(2 * tooMany, tokens.Count));
        }

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

    private string Text(IReadOnlyList<string> tokens) => string.Concat(parts.Decoder(tokens));
}
