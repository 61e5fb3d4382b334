using System.Globalization;
using System.Text;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// Escapes such as \ud83d that lack their other half: JSON allows them, Unicode text does not. They become \ufffd, what
/// a conversion to UTF-8 makes of a lone surrogate.
/// </summary>
public static class JsonSurrogates
{
    private const int EscapeLength = 6;

    /// <summary>The JSON text with every lone surrogate escape replaced; the same text where there is none.</summary>
    public static string Repair(string json)
    {
        StringBuilder? repaired = null;
        for (var at = json.IndexOf('\\'); at >= 0 && at + 1 < json.Length;)
        {
            var value = EscapeAt(json, at);
            var length = value < 0 ? 2 : EscapeLength;
            if (value is >= 0xD800 and <= 0xDBFF && EscapeAt(json, at + EscapeLength) is >= 0xDC00 and <= 0xDFFF)
            {
                length = 2 * EscapeLength;
            }
            else if (value is >= 0xD800 and <= 0xDFFF)
            {
                repaired ??= new StringBuilder(json);
                repaired[at + 2] = repaired[at + 3] = repaired[at + 4] = 'f';
                repaired[at + 5] = 'd';
            }

            at = at + length < json.Length ? json.IndexOf('\\', at + length) : -1;
        }

        return repaired?.ToString() ?? json;
    }

    /// <summary>The code unit of an escape \uXXXX, or -1 where there is none.</summary>
    private static int EscapeAt(string json, int at) =>
        at + EscapeLength <= json.Length && json[at] == '\\' && json[at + 1] == 'u'
        && int.TryParse(json.AsSpan(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? value
            : -1;
}
