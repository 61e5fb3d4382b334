using System.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Text;

/// <summary>UTF-16 text without lone surrogates: each becomes U+FFFD, as a conversion to UTF-8 would make it.</summary>
internal static class WellFormedText
{
    public static string Of(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0) return text;
        var repaired = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) repaired.Append(rune.ToString());
        return repaired.ToString();
    }
}
