namespace LlmStageAudit.Checkpoints.Tokenization.Steps;

/// <summary>
/// GPT-2's printable stand-ins for the 256 bytes: printable Latin-1 bytes stand for themselves, the others are
/// numbered from U+0100 in byte order (so a space is U+0120). Source: openai/gpt-2, bytes_to_unicode.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] CharOfByte = Build();
    private static readonly short[] ByteOfChar = Invert();

    public static char CharOf(byte value) => CharOfByte[value];

    /// <summary>The byte a character stands for, or -1.</summary>
    public static int ByteOf(char character) => character < ByteOfChar.Length ? ByteOfChar[character] : -1;

    /// <summary>The UTF-8 bytes of well-formed text, each as its stand-in.</summary>
    public static string Spell(ReadOnlySpan<char> text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        return string.Create(length, text, static (spelled, source) =>
        {
            if (spelled.Length == source.Length)
            {
                // As many bytes as units: ASCII.
                for (var i = 0; i < source.Length; i++) spelled[i] = CharOfByte[source[i]];
                return;
            }

            var position = 0;
            Span<byte> bytes = stackalloc byte[4];
            while (!source.IsEmpty)
            {
                Rune.DecodeFromUtf16(source, out var rune, out var consumed);
                var written = rune.EncodeToUtf8(bytes);
                for (var i = 0; i < written; i++) spelled[position++] = CharOfByte[bytes[i]];
                source = source[consumed..];
            }
        });
    }

    /// <summary>For each character of the spelled text, the character of the text whose byte it is.</summary>
    public static IEnumerable<(int Start, int End)> Origins(string text) =>
        AlignedText.PerCharacter(text, static rune => rune.Utf8SequenceLength);

    private static char[] Build()
    {
        var chars = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            var printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            chars[value] = (char)(printable ? value : next++);
        }

        return chars;
    }

    private static short[] Invert()
    {
        var bytes = new short[CharOfByte.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (var value = 0; value < 256; value++) bytes[CharOfByte[value]] = (short)value;
        return bytes;
    }
}
