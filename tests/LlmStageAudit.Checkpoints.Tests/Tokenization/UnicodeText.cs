using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization;

/// <summary>A text for a property: words, white space, marks, emoji, special tokens and any characters, in any order.</summary>
public sealed record UnicodeText(string Value)
{
    private static readonly string[] Words =
    [
        "the", "Hello", " world", "it's", "WE'LL", "naïve", "Straße", "e\u0301", "ﬁ", "日本語", "한국", "مرحبا", "नमस्ते", "1234", "٣٤", "½",
        "…", "!?", "</s>", "<s>", "<|endoftext|>", "<|padding|>", "<bos>", "<start_of_turn>", "<0x41>", "▁", "Ġ", "\uFFFD", "\uFFFE",
    ];

    private static readonly string[] Spaces = [" ", "  ", "\t", "\n", "\r\n", "\u00A0", "\u3000", "\u0085", "\u200B", "\u2028"];
    private static readonly string[] Emoji = ["😀", "👩‍👩‍👧‍👦", "👍🏽", "🇩🇪", "❤️", "\u200D", "𝔘", "𝟘", "𐐀", "𠮷"];

    /// <summary>Escaped, so that a failure shows every character.</summary>
    public override string ToString() => System.Text.Json.JsonSerializer.Serialize(Value);

    /// <summary>Found by the properties that ask for it; shrinks by a character at a time.</summary>
    public static Arbitrary<UnicodeText> Any()
    {
        var parts = Gen.OneOf(
            Gen.Elements(Words),
            Gen.Elements(Spaces),
            Gen.Elements(Emoji),
            Gen.Choose(0x300, 0x36F).Select(static mark => ((char)mark).ToString()),
            Gen.Choose(0, 0x2FFF).Select(Character),
            Gen.Choose(0x10000, 0x10FFFF).Select(Character),
            Gen.Choose(' ', '~').Select(static value => ((char)value).ToString()));
        return Arb.From(
            parts.ListOf().Select(static list => new UnicodeText(string.Concat(list))),
            static text => text.Value.EnumerateRunes().Count() is var count && count < 2
                ? []
                : Enumerable.Range(0, count).Select(left => new UnicodeText(
                    string.Concat(text.Value.EnumerateRunes().Where((_, index) => index != left).Select(static rune => rune.ToString())))));
    }

    /// <summary>No nonspacing mark but those of Unicode 1: Hugging Face's tokenizers order marks by tables older than Unicode 10.</summary>
    private static string Character(int value) =>
        new Rune(value) is var rune && Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark ? "\uFFFD" : rune.ToString();
}
