using System.Buffers;

namespace LlmStageAudit.Checkpoints.Tokenization.Steps;

/// <summary>
/// GPT-2's cut, scanned by hand in one pass:
/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ over code points.
/// </summary>
internal static class Gpt2Pieces
{
    private enum Kind
    {
        Letter,
        Number,
        Space,
        Other,
    }

    /// <summary>The end of the piece that starts at <paramref name="start"/>.</summary>
    public static int End(ReadOnlySpan<char> text, int start)
    {
        var contraction = Contraction(text[start..]);
        if (contraction > 0) return start + contraction;

        var at = text[start] == ' ' && start + 1 < text.Length ? start + 1 : start;
        var kind = KindAt(text, at, out var length);
        if (kind == Kind.Space) return EndOfSpaces(text, start);
        do at += length;
        while (at < text.Length && KindAt(text, at, out length) == kind);
        return at;
    }

    /// <summary>A run of white space leaves its last character to the piece after it, unless it is the only one or the text ends.</summary>
    private static int EndOfSpaces(ReadOnlySpan<char> text, int start)
    {
        var end = start + 1;
        while (end < text.Length && char.IsWhiteSpace(text[end])) end++;
        return end == text.Length || end == start + 1 ? end : end - 1;
    }

    private static int Contraction(ReadOnlySpan<char> text) => text switch
    {
        ['\'', 's' or 't' or 'm' or 'd', ..] => 2,
        ['\'', 'r' or 'v', 'e', ..] or ['\'', 'l', 'l', ..] => 3,
        _ => 0,
    };

    private static Kind KindAt(ReadOnlySpan<char> text, int at, out int length)
    {
        var first = text[at];
        length = 1;
        if (char.IsAscii(first))
        {
            if (char.IsAsciiLetter(first)) return Kind.Letter;
            if (char.IsAsciiDigit(first)) return Kind.Number;
            return char.IsWhiteSpace(first) ? Kind.Space : Kind.Other;
        }

        if (Rune.DecodeFromUtf16(text[at..], out var rune, out length) != OperationStatus.Done) return Kind.Other;
        if (Rune.IsLetter(rune)) return Kind.Letter;
        if (Rune.IsNumber(rune)) return Kind.Number;
        return Rune.IsWhiteSpace(rune) ? Kind.Space : Kind.Other;
    }
}
