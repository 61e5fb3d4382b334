using System.Text;
using LlmStageAudit.Checkpoints.Tokenization.Files;
using LlmStageAudit.Checkpoints.Tokenization.Patterns;
using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Normalization;

/// <summary>Every match of a pattern becomes a fixed text; as a decoder, in each token for itself.</summary>
internal sealed class Replacement(TextPattern pattern, string content, string where) : AlignedNormalizer, ITokenDecoder
{
    private const int LengthLimit = 1 << 26;

    /// <summary>Reads {"pattern": ..., "content": "..."}.</summary>
    public static Replacement Read(JsonSite site)
    {
        site.RequireOnly("type", "pattern", "content");
        return new Replacement(TextPattern.Read(site.Required("pattern")), site.Text("content"), site.Where);
    }

    public override string Apply(string text)
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

    /// <summary>All of the content comes from the last character it stands for.</summary>
    public override IEnumerable<(int Start, int End)> Origins(string text)
    {
        var position = 0;
        foreach (var (start, end) in pattern.Matches(text))
        {
            foreach (var origin in AlignedText.Unchanged(text, position, start)) yield return origin;
            var last = end == 0 ? 0 : end - (char.IsLowSurrogate(text[end - 1]) ? 2 : 1);
            for (var unit = 0; unit < content.Length; unit++) yield return (last, end);
            position = end;
        }

        foreach (var origin in AlignedText.Unchanged(text, position, text.Length)) yield return origin;
    }

    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) => tokens.Select(Apply).ToList();
}
