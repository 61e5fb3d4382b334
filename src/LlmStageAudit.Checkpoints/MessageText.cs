using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints;

/// <summary>Makes text from foreign files fit for a one-line message: control characters escaped, long text cut.</summary>
internal static class MessageText
{
    private const int LongestShown = 160;
    private const int LongestCell = 60;

    public static string Quote(string text)
    {
        var shown = string.Concat(text.Take(LongestShown).Select(character => IsPlain(character)
            ? character.ToString()
            : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}")));
        return text.Length > LongestShown ? $"'{shown}...'" : $"'{shown}'";

        static bool IsPlain(char character) =>
            !char.IsControl(character) && !char.IsSurrogate(character) && character is not ('\u2028' or '\u2029');
    }

    /// <summary>A table's cell, quoted as it is, cut where it is long.</summary>
    public static string Cell(string text) => text.Length <= LongestCell ? $"'{text}'" : $"'{text[..LongestCell]}...'";

    /// <summary>"[2, 3]", at most the first eight sizes.</summary>
    public static string Shape(IReadOnlyList<long> shape)
    {
        var sizes = shape.Take(8).Select(size => size.ToString(CultureInfo.InvariantCulture));
        return $"[{string.Join(", ", sizes)}{(shape.Count > 8 ? ", ..." : "")}]";
    }

    /// <summary>The nearest of the candidates as a hint, else null.</summary>
    public static string? NearestHint(string wanted, IEnumerable<string> candidates) =>
        Suggestion.Nearest(wanted, candidates) is { } nearest ? $"did you mean {Quote(nearest)}?" : null;
}
