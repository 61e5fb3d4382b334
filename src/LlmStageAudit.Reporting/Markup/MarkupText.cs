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
            switch (rune.Value)
            {
                case '&':
                    escaped.Append("&amp;");
                    break;
                case '<':
                    escaped.Append("&lt;");
                    break;
                case '>':
                    escaped.Append("&gt;");
                    break;
                case '"':
                    escaped.Append("&quot;");
                    break;
                case '\'':
                    escaped.Append("&#39;");
                    break;
                default:
                    escaped.Append(IsForbidden(rune) ? Replacement : rune.ToString());
                    break;
            }
        }

        return escaped.ToString();
    }

    /// <summary>
    /// The text, or its first characters and an ellipsis: at most <paramref name="length"/> characters as a reader counts them.
    /// </summary>
    public static string Shorten(string text, int length)
    {
        var elements = StringInfo.GetTextElementEnumerator(text);
        var kept = new StringBuilder();
        for (var count = 0; elements.MoveNext(); count++)
        {
            if (count == length - 1 && elements.ElementIndex + elements.GetTextElement().Length < text.Length)
            {
                return kept.Append('…').ToString();
            }

            // One "character" may carry any number of combining marks; no label needs more than a few.
            var element = elements.GetTextElement();
            kept.Append(element.Length <= 16 ? element : Replacement);
        }

        return kept.ToString();
    }

    // Noncharacters and controls are not XML; the bidirectional overrides and isolates would let a name rewrite the line it stands in.
    private static bool IsForbidden(Rune rune) => rune.Value switch
    {
        '\t' or '\n' or '\r' => false,
        < 0x20 or (>= 0x7F and <= 0x9F) => true,
        (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) => true,
        0xFFFE or 0xFFFF => true,
        _ => false,
    };
}
