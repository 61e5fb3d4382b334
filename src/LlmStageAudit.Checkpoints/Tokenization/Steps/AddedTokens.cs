using System.Buffers;

namespace LlmStageAudit.Checkpoints.Tokenization.Steps;

/// <summary>Splits text at added tokens: the leftmost match first, of several there the longest.</summary>
internal sealed class AddedTokenFinder
{
    private const int Root = 0;

    private readonly Dictionary<(int Node, char Next), int> _edges = [];
    private readonly List<AddedToken?> _tokenAt = [null];
    private readonly SearchValues<char> _firstCharacters;

    /// <summary>Prepares the search for all tokens at once.</summary>
    /// <param name="tokens">The tokens and the text each is searched for as; of two with one text the first counts.</param>
    public AddedTokenFinder(IEnumerable<(AddedToken Token, string Text)> tokens)
    {
        foreach (var (token, text) in tokens.Where(pair => pair.Text.Length > 0))
        {
            var node = Root;
            foreach (var character in text)
            {
                if (!_edges.TryGetValue((node, character), out var next))
                {
                    next = _edges[(node, character)] = _tokenAt.Count;
                    _tokenAt.Add(null);
                }

                node = next;
            }

            _tokenAt[node] ??= token;
        }

        _firstCharacters = SearchValues.Create(_edges.Keys.Where(edge => edge.Node == Root).Select(edge => edge.Next).ToArray());
    }

    /// <summary>The parts of the text in order, none empty, together all of it; one with no token is to be tokenized further.</summary>
    public IEnumerable<(AddedToken? Token, int Start, int End)> Split(string text)
    {
        (AddedToken? Token, int Start, int End)? last = null;
        foreach (var part in Parts(text))
        {
            if (last is { } before) yield return before with { End = Math.Min(before.End, part.Start) };
            last = part;
        }

        if (last is { } final) yield return final;
    }

    private IEnumerable<(AddedToken? Token, int Start, int End)> Parts(string text)
    {
        var position = 0;
        var spacesEnd = 0;
        foreach (var (token, matchStart, matchEnd) in Matches(text))
        {
            var (start, end) = (matchStart, matchEnd);
            if (token.SingleWord && (EndsWithWord(text.AsSpan(0, start)) || StartsWithWord(text.AsSpan(end)))) continue;
            if (token.StripsLeft)
            {
                while (start > position && char.IsWhiteSpace(text[start - 1])) start--;
            }

            if (token.StripsRight)
            {
                // A run of white space is scanned once, however many tokens lie in it.
                if (end >= spacesEnd)
                {
                    for (spacesEnd = end; spacesEnd < text.Length && char.IsWhiteSpace(text[spacesEnd]);) spacesEnd++;
                }

                end = spacesEnd;
            }

            if (start > position) yield return (null, position, start);
            yield return (token, start, end);

            // A token that lies in the white space another took along goes back behind it, as in Hugging Face's.
            position = end;
        }

        if (position < text.Length) yield return (null, position, text.Length);
    }

    private IEnumerable<(AddedToken Token, int Start, int End)> Matches(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            var candidate = text.AsSpan(at).IndexOfAny(_firstCharacters);
            if (candidate < 0) yield break;
            at += candidate;
            if (Longest(text, at, out var end) is { } token) yield return (token, at, end);
            at = Math.Max(at + 1, end);
        }
    }

    private AddedToken? Longest(string text, int start, out int end)
    {
        AddedToken? longest = null;
        end = start;
        var node = Root;
        for (var at = start; at < text.Length && _edges.TryGetValue((node, text[at]), out node); at++)
        {
            if (_tokenAt[node] is not { } token) continue;
            (longest, end) = (token, at + 1);
        }

        return longest;
    }

    private static bool EndsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<char> text) =>
        Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && IsWord(rune);

    // Unicode's word characters: letters, marks, decimal and letter numbers, connectors and the two joiners.
    private static bool IsWord(Rune rune) => rune.Value is 0x200C or 0x200D || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark
        or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark or UnicodeCategory.DecimalDigitNumber
        or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;
}

/// <summary>A token that is found in text as it stands, before the model sees the rest.</summary>
internal sealed record AddedToken(int Id, string Content)
{
    /// <summary>Left out when decoding without special tokens.</summary>
    public bool Special { get; init; }

    /// <summary>Searched for in normalized text (its own content normalized too) rather than in the raw text.</summary>
    public bool Normalized { get; init; }

    /// <summary>Found only where no word character touches it.</summary>
    public bool SingleWord { get; init; }

    /// <summary>Takes the white space before it along.</summary>
    public bool StripsLeft { get; init; }

    /// <summary>Takes the white space after it along.</summary>
    public bool StripsRight { get; init; }

    public static AddedToken Read(JsonSite site)
    {
        const int lengthLimit = 1024;
        site.Only("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
        var content = site.Text("content");
        if (content.Length is 0 or > lengthLimit)
            throw site.Fault($"a content of {content.Length} characters", $"1 to {lengthLimit}");
        var special = site.Flag("special", absent: false);
        return new AddedToken(site.Required("id").Id(), content)
        {
            Special = special,
            Normalized = site.Flag("normalized", absent: !special),
            SingleWord = site.Flag("single_word", absent: false),
            StripsLeft = site.Flag("lstrip", absent: false),
            StripsRight = site.Flag("rstrip", absent: false),
        };
    }
}
