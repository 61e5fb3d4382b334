using System.Text;
using LlmStageAudit.Checkpoints.Tokenization.Decoding;
using LlmStageAudit.Checkpoints.Tokenization.Patterns;

namespace LlmStageAudit.Checkpoints.Tokenization.Normalization;

/// <summary>Every match of a pattern becomes a fixed text; as a decoder, in each token for itself.</summary>
internal sealed class Replacement(TextPattern pattern, string content, string where) : INormalizer, ITokenDecoder
{
    private const int LengthLimit = 1 << 26;

    /// <summary>Reads {"pattern": ..., "content": "..."}.</summary>
    public static Replacement Read(JsonSite site)
    {
        site.RequireOnly("type", "pattern", "content");
        return new Replacement(TextPattern.Read(site.Required("pattern")), site.Text("content"), site.Where);
    }

    public string Normalize(string text)
    {
        var matches = pattern.Matches(text);
        if (matches.Count == 0) return text;
        var length = text.Length + matches.Sum(match => (long)content.Length - (match.End - match.Start));
        if (length > LengthLimit) throw TokenizerException.TextTooLong(where, length, LengthLimit);
        var replaced = new StringBuilder((int)length);
        var position = 0;
        foreach (var (start, end) in matches)
        {
            replaced.Append(text, position, start - position).Append(content);
            position = end;
        }

        return replaced.Append(text, position, text.Length - position).ToString();
    }

    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) => tokens.Select(Normalize).ToList();
}
