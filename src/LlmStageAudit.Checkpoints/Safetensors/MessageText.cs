using System.Globalization;
using System.Text;

namespace LlmStageAudit.Checkpoints.Safetensors;

/// <summary>Makes text from foreign files fit for a one-line message: control characters escaped, long text cut.</summary>
internal static class MessageText
{
    private const int LongestShown = 160;

    public static string Quote(string text)
    {
        var shown = new StringBuilder("'");
        foreach (var character in text.Length > LongestShown ? text[..LongestShown] : text)
        {
            if (char.IsControl(character) || char.IsSurrogate(character) || character is '\u2028' or '\u2029')
            {
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            }
            else
            {
                shown.Append(character);
            }
        }

        return shown.Append(text.Length > LongestShown ? "...'" : "'").ToString();
    }

    /// <summary>"[2, 3]", at most the first eight sizes.</summary>
    public static string Shape(IReadOnlyList<long> shape)
    {
        var sizes = shape.Take(8).Select(size => size.ToString(CultureInfo.InvariantCulture));
        return $"[{string.Join(", ", sizes)}{(shape.Count > 8 ? ", ..." : "")}]";
    }

    public static string Bytes(long count) => string.Create(CultureInfo.InvariantCulture, $"{count} bytes");

    /// <summary>The nearest of the candidates as a hint, else null. Very long names are passed over: the distance is quadratic.</summary>
    public static string? NearestHint(string wanted, IEnumerable<string> candidates) =>
        Foundation.Errors.Suggestion.Nearest(wanted, candidates.Where(candidate => candidate.Length <= 512)) is { } nearest
            ? $"did you mean {Quote(nearest)}?"
            : null;
}
