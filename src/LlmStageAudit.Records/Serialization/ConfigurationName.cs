namespace LlmStageAudit.Records.Serialization;

/// <summary>Names that become part of file names on every system: ASCII letters, digits, '.', '-' and '_'.</summary>
internal static class ConfigurationName
{
    public const string Expected = "1 to 100 letters, digits, '.', '-' and '_'";

    private const int MaximumLength = 100;

    public static bool IsValid(string text) => text.Length is > 0 and <= MaximumLength && text.All(IsAllowed);

    /// <summary>The text with everything else as a dash, cut where it is too long.</summary>
    public static string From(string text)
    {
        var name = string.Concat(text.Take(MaximumLength).Select(character => IsAllowed(character) ? character : '-'));
        return name.Length == 0 ? "unnamed" : name;
    }

    private static bool IsAllowed(char character) => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_';
}
