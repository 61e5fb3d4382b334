using System.Text;
using System.Text.RegularExpressions;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Testing.Fuzzing;

/// <summary>
/// Damages texts that people write (YAML, expressions, overrides, tables): a third of the changes put a hostile value in a word's place,
/// a third move, double, cut or indent whole lines, a third do not look at the text at all.
/// </summary>
internal static partial class TextMutator
{
    private static readonly string[] Values =
    [
        "null", "~", "true", "false", "0", "-1", "1", "0.5", "-0.0", "1e999999", "1e-999999", "-1e308", ".inf", ".nan", "NaN", "0x7f",
        "0o17", "1_000", "2147483647", "2147483648", "4611686018427387904", "9223372036854775807", "-9223372036854775808",
        "18446744073709551616", new('9', 400), "''", "\"\"", "'", "\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\x00\"", "&a", "*a",
        "&a [*a, *a]", "<<: *a", "!!python/object/apply:os.system", "!!binary aGk=", "!x", "{", "}", "[", "]", "[]", "{}", "[[]]", "{a: b}",
        "{a: b, a: c}", "? a", "- ", "|", ">-", "---", "...", "%YAML 1.2", "#", ",", ":", "../../../../etc/passwd", "/dev/zero",
        "/proc/self/mem", "\\\\server\\share", "C:\\x", "$(id)", "`id`", "; rm", "\u001b[31m", "\u202e", "\u2028", "\u00e9", "\ud83d\ude00",
        "(", ")", "((((((((((", "not not not", "and", "or", "in (1)", "matches '(a+)+$'", "matches '('", "contains ''", "==", "<>", ">=",
        "[x]", "`x`", new('(', 3000), new('[', 3000), new('{', 3000), new('-', 3000), new('x', 9000), "(?:" + new string('a', 3000) + ")*",
        "a{1000}{1000}{1000}", "[" + new string('a', 3) + "-" + "\\d]", "(?<x>a)(?(x)b|c)", "(.*)*x", "sgd", "adamw", "none",
        "civil-comments", "log-likelihood", "causal-lm",
    ];

    private static readonly byte[][] Splices =
    [
        [0], [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xEF, 0xBB, 0xBF], [.. "\t"u8], [.. "\r"u8], [.. "\r\n"u8], [.. "\n"u8],
        [.. "\n\n---\n"u8], [.. " "u8], [.. "    "u8], [.. ": "u8], [.. "- "u8], [.. ", "u8], [.. "#"u8], [.. "'"u8], [.. "\""u8],
        [.. "\u2028"u8], [.. "\u0085"u8], [.. "\u0007"u8],
    ];

    /// <summary>One to three changes.</summary>
    public static byte[] Mutate(byte[] text, StableRandom random)
    {
        var bytes = text;
        for (var count = 1 + random.Next(3); count > 0; count--)
        {
            bytes = random.Next(3) switch
            {
                0 => ChangeWord(bytes, random),
                1 => ChangeLines(bytes, random),
                _ when random.Next(3) == 0 => Splice(bytes, random),
                _ => JsonMutator.ChangeBytes(bytes, random),
            };
        }

        return bytes;
    }

    private static byte[] ChangeWord(byte[] bytes, StableRandom random)
    {
        var text = Encoding.Latin1.GetString(bytes);
        var words = Words().Matches(text);
        if (words.Count == 0) return Splice(bytes, random);
        var word = words[random.Next(words.Count)];
        var value = random.Next(4) == 0
            ? Encoding.Latin1.GetBytes(words[random.Next(words.Count)].Value)
            : Encoding.UTF8.GetBytes(Values[random.Next(Values.Length)]);
        return [.. bytes[..word.Index], .. value, .. bytes[(word.Index + word.Length)..]];
    }

    private static byte[] ChangeLines(byte[] bytes, StableRandom random)
    {
        var lines = Encoding.Latin1.GetString(bytes).Split('\n').ToList();
        var (at, other) = (random.Next(lines.Count), random.Next(lines.Count));
        switch (random.Next(6))
        {
            case 0: lines.RemoveAt(at); break;
            case 1: lines.Insert(at, lines[other]); break;
            case 2: (lines[at], lines[other]) = (lines[other], lines[at]); break;
            case 3: lines[at] = new string(' ', 1 + random.Next(6)) + lines[at]; break;
            case 4: lines[at] = lines[at].TrimStart(); break;
            default: lines.InsertRange(at, Enumerable.Repeat(lines[other], 1 + random.Next(30))); break;
        }

        return Encoding.Latin1.GetBytes(string.Join('\n', lines));
    }

    private static byte[] Splice(byte[] bytes, StableRandom random)
    {
        var at = random.Next(bytes.Length + 1);
        return [.. bytes[..at], .. Splices[random.Next(Splices.Length)], .. bytes[at..]];
    }

    [GeneratedRegex(@"[^\s,:{}\[\]()]+")]
    private static partial Regex Words();
}
