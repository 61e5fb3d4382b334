namespace LlmStageAudit.Checkpoints.Tokenization.Steps;

/// <summary>
/// A text on its way through the steps of a tokenizer and, where that is tracked, which part of the text it was made of each of its
/// UTF-16 units comes from. Untracked it is no more than the string.
/// </summary>
internal readonly struct AlignedText
{
    private readonly Alignment? _alignment;

    /// <summary>A text that comes from itself.</summary>
    /// <param name="text">The text.</param>
    /// <param name="tracks">Whether to keep where its units come from.</param>
    /// <param name="isFirst">Whether nothing stands before it in the text that was given.</param>
    public AlignedText(string text, bool tracks, bool isFirst = true)
        : this(text, tracks ? new Alignment(0, null) : null, isFirst)
    {
    }

    private AlignedText(string text, Alignment? alignment, bool isFirst) => (Text, _alignment, IsFirst) = (text, alignment, isFirst);

    public string Text { get; }

    /// <summary>Whether it begins where the given text begins.</summary>
    public bool IsFirst { get; }

    /// <summary>Each unit as the character it belongs to: the origins of what a step leaves as it is.</summary>
    public static IEnumerable<(int Start, int End)> Unchanged(string text, int start, int end)
    {
        for (var at = start; at < end;)
        {
            var width = WidthAt(text, at);
            for (var unit = 0; unit < width; unit++) yield return (at, at + width);
            at += width;
        }
    }

    /// <summary>The origins where each character becomes so many units.</summary>
    public static IEnumerable<(int Start, int End)> PerCharacter(string text, Func<Rune, int> unitsOf)
    {
        var position = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var origin = (position, position += rune.Utf16SequenceLength);
            for (var left = unitsOf(rune); left > 0; left--) yield return origin;
        }
    }

    /// <summary>The UTF-16 units of the character at a place in well-formed text.</summary>
    public static int WidthAt(string text, int at) => char.IsHighSurrogate(text[at]) ? 2 : 1;

    /// <summary>Where the units from <paramref name="start"/> to <paramref name="end"/> come from. Only where that is tracked.</summary>
    public (int Start, int End) Origin(int start, int end) => _alignment!.Of(start, end);

    public AlignedText Slice(int start, int end) => new(Text[start..end], _alignment?.Slice(start, end), IsFirst && start == 0);

    /// <summary>A text made of the units from <paramref name="start"/> to <paramref name="end"/>.</summary>
    /// <param name="start">The first unit.</param>
    /// <param name="end">Behind the last unit.</param>
    /// <param name="text">What they became.</param>
    /// <param name="origins">Given the units, for each unit of <paramref name="text"/> which of them it comes from.</param>
    public AlignedText Rewritten(int start, int end, string text, Func<string, IEnumerable<(int Start, int End)>> origins)
    {
        var isFirst = IsFirst && start == 0;
        if (_alignment is null) return new AlignedText(text, alignment: null, isFirst);
        var units = new (int Start, int End)[text.Length];
        var count = 0;
        foreach (var (from, to) in origins(Text[start..end])) units[count++] = Origin(start + from, start + to);
        return new AlignedText(text, new Alignment(0, units), isFirst);
    }

    /// <summary>Where each unit comes from; without units the text is the source from a place on.</summary>
    private sealed record Alignment(int Start, (int Start, int End)[]? Units)
    {
        public (int Start, int End) Of(int start, int end)
        {
            if (Units is null) return (Start + start, Start + end);
            if (start < end) return (Units[start].Start, Units[end - 1].End);
            var place = start < Units.Length ? Units[start].Start : Units.LastOrDefault().End;
            return (place, place);
        }

        public Alignment Slice(int start, int end) =>
            Units is null ? new Alignment(Start + start, null) : new Alignment(0, Units[start..end]);
    }
}

/// <summary>UTF-16 text without lone surrogates: each becomes U+FFFD, as a conversion to UTF-8 would make it.</summary>
internal static class WellFormedText
{
    public static string Of(string text) => text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0
        ? text
        : string.Concat(text.EnumerateRunes().Select(static rune => rune.ToString()));
}
