using System.Buffers;
using System.Text;
using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Decoding;

/// <summary>
/// Takes up to <paramref name="start"/> copies of a character off each piece's front, up to <paramref name="stop"/> off its end.
/// </summary>
internal sealed class StripDecoder(Rune content, int start, int stop) : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) => tokens.Select(Strip).ToList();

    private string Strip(string token)
    {
        var width = content.Utf16SequenceLength;
        var text = token.AsSpan();
        for (var i = 0; i < start && Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && rune == content; i++) text = text[width..];
        for (var i = 0; i < stop && Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && rune == content; i++) text = text[..^width];
        return text.ToString();
    }
}
