using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Records.Serialization;

/// <summary>
/// What records must keep to beyond their types: names that become parts of paths, counts that become loops and memory. A file of ours
/// may have been changed by anyone since it was written. Each gives the first rule that is broken, as "field: what is wrong", or null.
/// </summary>
internal static class RecordRules
{
    private const int LongestId = 128;

    public static string? RunId(string id) =>
        id.Length is > 0 and <= LongestId && id.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_')
            ? null
            : $"runId: {Shown.Quoted(id)} is no run id";

    public static string? Name(string where, string name) =>
        ConfigurationName.IsValid(name) ? null : $"{where}: {Shown.Quoted(name)} is not {ConfigurationName.Expected}";

    public static string? Hash(string where, string? hash) =>
        hash is null || (hash.Length <= LongestId && hash.All(char.IsAsciiHexDigitLower))
            ? null
            : $"{where}: {Shown.Quoted(hash)} is no hash";

    public static string? Count(string where, int count) => count >= 0 ? null : $"{where}: {count}";

    public static string? First<T>(IEnumerable<T> items, Func<T, string?> fault) =>
        items.Select(fault).FirstOrDefault(found => found is not null);
}

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

    public static bool IsAllowed(char character) => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_';
}
