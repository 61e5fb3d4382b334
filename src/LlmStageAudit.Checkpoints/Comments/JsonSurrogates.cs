using System.Text.RegularExpressions;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// Escapes such as \ud83d that lack their other half: JSON allows them, Unicode text does not. They become \ufffd, what
/// a conversion to UTF-8 makes of a lone surrogate.
/// </summary>
public static partial class JsonSurrogates
{
    /// <summary>The JSON text with every lone surrogate escape replaced; the same text where there is none.</summary>
    public static string Repair(string json) => json.Contains(@"\ud", StringComparison.OrdinalIgnoreCase)
        ? Escape().Replace(json, static escape => escape.Groups["lone"].Success ? @"\ufffd" : escape.Value)
        : json;

    // A pair, half of one, or any other escape, which may be of a backslash.
    [GeneratedRegex(@"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: -1)]
    private static partial Regex Escape();
}
