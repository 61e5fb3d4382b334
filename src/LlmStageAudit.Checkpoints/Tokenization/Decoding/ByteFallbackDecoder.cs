using System.Globalization;
using System.Text;
using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Decoding;

/// <summary>Joins runs of tokens like &lt;0xE2&gt; into text; a run that is not UTF-8 becomes one U+FFFD for each byte.</summary>
internal sealed class ByteFallbackDecoder : ITokenDecoder
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens)
    {
        var pieces = new List<string>(tokens.Count);
        var run = new List<byte>();
        foreach (var token in tokens)
        {
            if (ByteOf(token) is { } value)
            {
                run.Add(value);
                continue;
            }

            Flush(run, pieces);
            pieces.Add(token);
        }

        Flush(run, pieces);
        return pieces;
    }

    private static byte? ByteOf(string token) =>
        token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
        && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? value
            : null;

    private static void Flush(List<byte> run, List<string> pieces)
    {
        if (run.Count == 0) return;
        try
        {
            pieces.Add(Strict.GetString([.. run]));
        }
        catch (DecoderFallbackException)
        {
            pieces.Add(new string('\uFFFD', run.Count));
        }

        run.Clear();
    }
}
