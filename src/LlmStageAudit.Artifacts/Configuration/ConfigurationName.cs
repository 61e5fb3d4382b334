namespace LlmStageAudit.Artifacts.Configuration;

/// <summary>Names that become part of file names on every system: ASCII letters, digits, '.', '-' and '_'.</summary>
internal static class ConfigurationName
{
    public static bool IsValid(string text) => text.Length > 0 && text.All(IsAllowed);

    /// <summary>The text with everything else as a dash, cut at 100 characters.</summary>
    public static string From(string text)
    {
        var name = string.Concat(text.Take(100).Select(character => IsAllowed(character) ? character : '-'));
        return name.Length == 0 ? "unnamed" : name;
    }

    private static bool IsAllowed(char character) => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_';
}
