using System.Globalization;
using System.Text;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Checkpoints.Tests.Tokenization.Reference;

/// <summary>
/// Texts that mix scripts, code, white space, emoji sequences, combining marks, control characters, special tokens and very
/// long pieces. A seed gives the same texts everywhere; no text has a lone surrogate. STAGEAUDIT_TEXTS=10000 is the full count per
/// tokenizer; without it a twentieth is taken.
/// </summary>
internal sealed class GeneratedTexts(long seed, string[] tokens)
{
    /// <summary>How many texts each of the real tokenizers is given.</summary>
    public static readonly int Count = int.TryParse(
        Environment.GetEnvironmentVariable("STAGEAUDIT_TEXTS"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : 500;

    private static readonly string[] Words =
    [
        "the", "Stage", "isn't", "WE'LL", "they've", "'s", "audit", "naïve", "co-op", "e.g.", "Straße", "ﬁne", "I'm", "x'd", "über",
        "ΣΊΣΥΦΟΣ",
    ];

    private static readonly string[] Code =
    [
        "for (int i = 0; i < n; i++) {", "return x->y[0];", "</div>\r\n", "\t\tif a != b:", "#include <a.h>", "λ x. x", "$HOME/.rc",
        "0xFF_u8", "=> \"\\n\"", "@media(max-width:7px)", "SELECT * FROM t", "a&&b||!c", "//----", "snake_case_name", "camelCaseName",
        "https://x.y/z?q=%20#a",
    ];

    private static readonly string[] Spaces =
        [" ", "  ", "\t", "\n", "\r\n", "\u00A0", "\u2003", "\u3000", "\u200B", "\u2028", "\u0085", "\v", "\f", "\u1680", "\uFEFF"];

    private static readonly string[] Emoji =
    [
        "👩‍👩‍👧‍👦", "👍🏽", "🇩🇪", "🏳️‍🌈", "❤️", "1️⃣", "🧑🏿‍🚀", "😀", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "\u200D", "\uFE0F", "🏽",
    ];

    private static readonly (int First, int Last)[] Scripts =
    [
        (0x4E00, 0x9FFF), (0x3041, 0x30FE), (0xAC00, 0xD7A3), (0x0621, 0x064A), (0x064B, 0x0652), (0x0660, 0x0669), (0x0904, 0x0939),
        (0x093E, 0x094D), (0x0966, 0x096F), (0x0E01, 0x0E3A), (0x0400, 0x04FF), (0x05D0, 0x05EA), (0x0370, 0x03FF), (0x1F00, 0x1FFE),
        (0x1100, 0x11FF), (0x20000, 0x2A6DF), (0x1D400, 0x1D7FF), (0x2150, 0x218B), (0x2460, 0x24FF), (0x10A0, 0x10FF),
    ];

    public List<string> Take(int count) =>
        [.. Enumerable.Range(0, count).Select(index => Text(StableRandom.For(seed, index.ToString(CultureInfo.InvariantCulture))))];

    private string Text(StableRandom random)
    {
        var text = new StringBuilder();
        var parts = random.Next(16);
        for (var i = 0; i < parts; i++)
        {
            Append(text, random);
            if (random.Next(2) == 0) text.Append(' ');
        }

        if (random.Next(100) == 0) AppendLong(text, random);
        return text.ToString();
    }

    private void Append(StringBuilder text, StableRandom random)
    {
        switch (random.Next(12))
        {
            case 0 or 1: text.Append(Pick(Words, random)); break;
            case 2: text.Append(Pick(Code, random)); break;
            case 3: Repeat(text, random, 8, static random => Pick(Spaces, random)); break;
            case 4: text.Append(Pick(Spaces, random)[0], random.Next(40)); break;
            case 5: text.Append(Pick(Emoji, random)); break;
            case 6: Repeat(text.Append("aeiouAÅяह한"[random.Next(10)]), random, 4, static random => Marks(random)); break;
            case 7:
                var (first, last) = Scripts[random.Next(Scripts.Length)];
                Repeat(text, random, 10, random => char.ConvertFromUtf32(first + random.Next(last - first + 1)));
                break;
            case 8: Repeat(text, random, 4, static random => Control(random)); break;
            case 9: text.Append(Pick(tokens, random)); break;
            case 10: Repeat(text, random, 12, static random => ((char)('0' + random.Next(10))).ToString()); break;
            default: Repeat(text, random, 6, static random => AnyCharacter(random)); break;
        }
    }

    private static void AppendLong(StringBuilder text, StableRandom random)
    {
        var unit = Pick([.. Words, .. Emoji, "a", "=", "字", "\u0301", "ab", "9", "\n"], random);
        for (var length = 1000 + random.Next(4000); length > 0; length -= unit.Length) text.Append(unit);
    }

    private static string Control(StableRandom random) => ((char)(random.Next(0x40) is var at && at < 0x20 ? at : at + 0x60)).ToString();

    private static string Marks(StableRandom random) => ((char)(0x0300 + random.Next(0x70))).ToString();

    /// <summary>
    /// Any scalar value, assigned or not, but no nonspacing mark: the reference orders marks by tables older than Unicode 10, and
    /// leaves those that came later where they are.
    /// </summary>
    private static string AnyCharacter(StableRandom random)
    {
        var value = random.Next(4) == 0 ? random.Next(0x110000) : random.Next(0x3000);
        return Rune.TryCreate(value, out var rune) && Rune.GetUnicodeCategory(rune) != UnicodeCategory.NonSpacingMark
            ? rune.ToString()
            : "\uFFFD";
    }

    private static void Repeat(StringBuilder text, StableRandom random, int most, Func<StableRandom, string> unit)
    {
        for (var left = random.Next(most) + 1; left > 0; left--) text.Append(unit(random));
    }

    private static string Pick(string[] choices, StableRandom random) => choices[random.Next(choices.Length)];
}
