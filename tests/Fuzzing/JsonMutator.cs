using System.Globalization;
using System.Text;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Testing.Fuzzing;

/// <summary>
/// Damages JSON texts: half of the changes keep to the structure (values replaced, properties repeated, removed, renamed or
/// swapped, numbers made huge, escapes in keys), half do not look at it (bits, bytes, slices, cuts).
/// </summary>
internal static class JsonMutator
{
    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-1", "1", "2", "0.5", "-0.0", "1e400", "-1e308", "1e-320", "1E2", "255", "65536", "16777215",
        "16777216", "2147483647", "2147483648", "-2147483649", "4294967296", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "1" + new string('0', 400), "\"\"", "\"x\"", "\"F16\"", "\"all-linear\"", "\"(a+)+$\"", "\"(\"",
        "\"\\\\p{L}+\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\ud83d\\ude00\"", "\"../x\"", "[]", "{}", "[null]", "[1,2,3]", "[[[]]]",
        "[\"a\",\"b\"]", "{\"a\":1}", "{\"type\":\"ByteLevel\"}", "NaN", "Infinity", "01", "'x'", "[1,]", "{,}",
        Nested('[', ']', 20), Nested('[', ']', 70), Nested('[', ']', 5000), new('[', 3000),
    ];

    private static readonly string[] Splices =
        ["\"", "}", "{", "[", "]", ",", ":", "null", "-", "e9", ".", "\\", "\\u", "\\ud800", "\u00e9", "\0", "\n", "//", "/**/", "\u2028"];

    /// <summary>One to three changes.</summary>
    public static byte[] Mutate(byte[] json, StableRandom random)
    {
        var bytes = json;
        for (var count = 1 + random.Next(3); count > 0; count--)
        {
            bytes = random.Next(2) == 0 && JsonSpans.Of(bytes) is { Values.Count: > 0 } spans
                ? ChangeStructure(bytes, spans, random)
                : ChangeBytes(bytes, random);
        }

        return bytes;
    }

    public static byte[] ChangeBytes(byte[] json, StableRandom random)
    {
        if (json.Length == 0) return [(byte)random.Next(256)];
        var at = random.Next(json.Length);
        var length = Math.Min(1 + random.Next(40), json.Length - at);
        switch (random.Next(7))
        {
            case 0:
                var flipped = (byte[])json.Clone();
                flipped[at] ^= (byte)(1 << random.Next(8));
                return flipped;
            case 1:
                var overwritten = (byte[])json.Clone();
                overwritten[at] = (byte)random.Next(256);
                return overwritten;
            case 2:
                return Replace(json, at, at + length, []);
            case 3:
                return json[..at];
            case 4:
                return Replace(json, at, at, json[at..(at + length)]);
            case 5:
                return Replace(json, at, at, Bytes(Splices[random.Next(Splices.Length)]));
            default:
                var digit = (byte[])json.Clone();
                digit[at] = (byte)('0' + random.Next(10));
                return digit;
        }
    }

    private static byte[] ChangeStructure(byte[] json, JsonSpans spans, StableRandom random)
    {
        var value = spans.Values[random.Next(spans.Values.Count)];
        var property = spans.Properties.Count == 0 ? value : spans.Properties[random.Next(spans.Properties.Count)];
        switch (spans.Properties.Count == 0 ? random.Next(4) : random.Next(9))
        {
            case 0:
            case 1:
                return Replace(json, value.Start, value.End, Bytes(Values[random.Next(Values.Length)]));
            case 2:
                var (early, late) = Ordered(value, spans.Values[random.Next(spans.Values.Count)]);
                return early.End <= late.Start
                    ? [.. json[..early.Start], .. Of(late), .. json[early.End..late.Start], .. Of(early), .. json[late.End..]]
                    : Replace(json, value.Start, value.End, Of(late));
            case 3:
                return Replace(json, value.Start, value.End, Number(Encoding.UTF8.GetString(Of(value)), random));
            case 4:
                return Replace(json, property.End, property.End, [(byte)',', .. Of(property)]);
            case 5:
                // With its comma, where it has one.
                var end = property.End < json.Length && json[property.End] == ',' ? property.End + 1 : property.End;
                return Replace(json, property.Start, end, []);
            case 6:
                var copies = string.Join(',', Enumerable.Range(0, 1 + random.Next(60)).Select(i => Invariant($"\"k{i}\":{i}")));
                return Replace(json, property.Start, property.Start, Bytes(copies + ","));
            case 7:
                // The same key, spelled with an escape.
                var first = json[property.Start + 1];
                var escaped = first is (byte)'"' or (byte)'\\' or >= 128 ? [first] : Bytes($"\\u00{first:x2}");
                var renamed = Replace(json, property.Start + 1, property.Start + 2, escaped);
                return random.Next(2) == 0 ? renamed : Replace(renamed, property.Start, property.Start, [.. Of(property), (byte)',']);
            default:
                return Replace(json, property.Start + 1, property.Start + 1, Bytes("z"));
        }

        byte[] Of(JsonSpan span) => json[span.Start..span.End];
    }

    private static byte[] Number(string text, StableRandom random)
    {
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) return Bytes("7");
        return Bytes(random.Next(6) switch
        {
            0 => Invariant($"{(Int128)number + 1}"),
            1 => Invariant($"{(Int128)number - 1}"),
            2 => Invariant($"{(Int128)number * 2}"),
            3 => Invariant($"-{number}"),
            4 => Invariant($"{number}.0"),
            _ => Invariant($"{number}{random.Next(1000)}"),
        });
    }

    private static (JsonSpan Early, JsonSpan Late) Ordered(JsonSpan one, JsonSpan other) =>
        one.Start <= other.Start ? (one, other) : (other, one);

    private static byte[] Replace(byte[] bytes, int start, int end, byte[] with) => [.. bytes[..start], .. with, .. bytes[end..]];

    private static string Nested(char open, char close, int depth) => new string(open, depth) + new string(close, depth);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
