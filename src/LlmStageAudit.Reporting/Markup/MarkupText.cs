using System.Globalization;
using System.Text;

namespace LlmStageAudit.Reporting.Markup;

/// <summary>Data as text of a page: escaped for HTML and XML alike, without characters that XML forbids or that reorder a line.</summary>
internal static class MarkupText
{
    private const string Replacement = "\uFFFD";

    /// <summary>Safe between tags and inside either kind of quotes.</summary>
    public static string Escape(string text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            escaped.Append(rune.Value switch
            {
                '&' => "&amp;",
                '<' => "&lt;",
                '>' => "&gt;",
                '"' => "&quot;",
                '\'' => "&#39;",
                _ => IsForbidden(rune.Value) ? Replacement : rune.ToString(),
            });
        }

        return escaped.ToString();
    }

    /// <summary>The text, or its first characters and an ellipsis: at most so many characters as a reader counts them.</summary>
    public static string Shorten(string text, int length)
    {
        var elements = StringInfo.GetTextElementEnumerator(text);
        var kept = new StringBuilder();
        for (var count = 0; elements.MoveNext(); count++)
        {
            var element = elements.GetTextElement();
            if (count == length - 1 && elements.ElementIndex + element.Length < text.Length) return kept.Append('…').ToString();

            // One "character" may carry any number of combining marks; no label needs more than a few.
            kept.Append(element.Length <= 16 ? element : Replacement);
        }

        return kept.ToString();
    }

    // Noncharacters and controls are not XML; the bidirectional overrides and isolates would let a name rewrite the line it stands in.
    private static bool IsForbidden(int rune) => rune is
        (< 0x20 and not ('\t' or '\n' or '\r')) or (>= 0x7F and <= 0x9F)
        or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069)
        or 0xFFFE or 0xFFFF;
}
