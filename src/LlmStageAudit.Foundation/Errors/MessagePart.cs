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
    public static string Plain(string text) => Without(text, character =>
        char.IsControl(character) || character is '\u2028' or '\u2029' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069'));

    internal static string Without(string text, Func<char, bool> isMarked) =>
        string.Concat(text.Select(character => isMarked(character) ? '?' : character));
}

/// <summary>Text from a user's file as it may appear in a one-line message: short, and without control characters.</summary>
public static class Shown
{
    private const int MaximumLength = 60;

    /// <summary>As <see cref="Plain"/>, in single quotes.</summary>
    public static string Quoted(string text) => $"'{Plain(text)}'";

    /// <summary>At most 60 characters, "..." where there are more; what cannot be printed as '?'.</summary>
    public static string Plain(string text) => text.Length > MaximumLength
        ? Plain(text[..MaximumLength]) + "..."
        : MessagePart.Without(text, character =>
            char.IsControl(character) || char.IsSurrogate(character) || character is '\u2028' or '\u2029');
}
