namespace LlmStageAudit.Foundation.Errors;

/// <summary>Text from a user's file as it may appear in a one-line message: short, and without control characters.</summary>
public static class Shown
{
    private const int MaximumLength = 60;

    /// <summary>As <see cref="Plain"/>, in single quotes.</summary>
    public static string Quoted(string text) => $"'{Plain(text)}'";

    /// <summary>At most 60 characters, "..." where there are more; what cannot be printed as '?'.</summary>
    public static string Plain(string text)
    {
        var cut = text.Length <= MaximumLength ? text : text[..MaximumLength];
        var clean = string.Create(cut.Length, cut, static (span, source) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = IsPrintable(source[i]) ? source[i] : '?';
        });
        return text.Length <= MaximumLength ? clean : clean + "...";
    }

    private static bool IsPrintable(char character) =>
        !char.IsControl(character) && !char.IsSurrogate(character) && character is not ('\u2028' or '\u2029');
}
