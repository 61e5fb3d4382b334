namespace LlmStageAudit.Foundation.Errors;

/// <summary>Makes text of any origin fit for a line of a message or a cell of a table on a terminal.</summary>
public static class MessagePart
{
    private const int MaximumLength = 900;
    private const int KeptAtEnd = 200;

    /// <summary>Line ends as blanks, other characters that act on a terminal as '?', and the middle of a long text left out.</summary>
    public static string Of(string text)
    {
        var line = Plain(text.ReplaceLineEndings(" "));
        return line.Length <= MaximumLength ? line : $"{line[..(MaximumLength - KeptAtEnd)]} ... {line[^KeptAtEnd..]}";
    }

    /// <summary>The text with every character that moves the cursor, colours, or turns the direction of writing as '?'.</summary>
    public static string Plain(string text) => !text.Any(IsActive) ? text : string.Create(text.Length, text, static (span, source) =>
    {
        for (var i = 0; i < span.Length; i++) span[i] = IsActive(source[i]) ? '?' : source[i];
    });

    private static bool IsActive(char character) =>
        char.IsControl(character) || character is '\u2028' or '\u2029' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');
}
