using System.Buffers;

namespace LlmStageAudit.Checkpoints.Tokenization.Steps;

/// <summary>A step from tokens back to text: token texts in, pieces of text out; the last step's pieces are joined.</summary>
internal delegate IReadOnlyList<string> TokenDecoder(IReadOnlyList<string> tokens);

/// <summary>The "decoder" of tokenizer.json.</summary>
internal static class Decoders
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Without a decoder, tokens have a space between them.</summary>
    public static TokenDecoder Read(JsonSite? site) => site is { } present ? Read(present) : tokens => [string.Join(' ', tokens)];

    private static TokenDecoder Read(JsonSite site)
    {
        switch (site.Text("type"))
        {
            case "ByteLevel":
                site.Only("type", "add_prefix_space", "trim_offsets", "use_regex");
                return FromBytes;
            case "Replace":
                var replacement = Replacement.Of(site);
                return tokens => [.. tokens.Select(replacement.Apply)];
            case "ByteFallback":
                site.Only("type");
                return JoinBytes;
            case "Fuse":
                site.Only("type");
                return tokens => [string.Concat(tokens)];
            case "Strip":
                site.Only("type", "content", "start", "stop");
                var content = OneCharacter(site.Required("content"));
                var (start, stop) = (site.Required("start").Number(), site.Required("stop").Number());
                return tokens => [.. tokens.Select(token => Strip(token, content, start, stop))];
            case "Metaspace":
                var metaspace = Metaspace.Read(site);
                return tokens => [.. tokens.Select((token, index) => Spaced(token, metaspace, index))];
            case "Sequence":
                var steps = site.Only("type", "decoders").Steps("decoders", Read);
                return tokens => steps.Aggregate(tokens, static (current, step) => step(current));
            case var other:
                throw site.Unsupported(
                    $"the decoder '{other}'", "ByteLevel", "Replace", "ByteFallback", "Fuse", "Strip", "Metaspace",
                    "Sequence");
        }
    }

    internal static Rune OneCharacter(JsonSite site)
    {
        var text = site.Text();
        return Rune.DecodeFromUtf16(text, out var rune, out var length) == OperationStatus.Done && length == text.Length
            ? rune
            : throw site.Fault($"'{text}'", "one character");
    }

    /// <summary>A token with its marks as spaces; those of the first token are left out where they were put before the text.</summary>
    private static string Spaced(string token, Metaspace metaspace, int index) => token.Replace(
        metaspace.Mark, index == 0 && metaspace.Prepends != MetaspacePrefix.Never ? "" : " ", StringComparison.Ordinal);

    /// <summary>
    /// Reads each token's characters as bytes of GPT-2's alphabet and all bytes as one UTF-8 text, a malformed sequence as
    /// U+FFFD. A token with a character outside the alphabet (an added token) stands for its own text.
    /// </summary>
    private static IReadOnlyList<string> FromBytes(IReadOnlyList<string> tokens)
    {
        var bytes = new MemoryStream();
        foreach (var token in tokens)
        {
            if (token.All(static character => ByteAlphabet.ByteOf(character) >= 0))
            {
                foreach (var character in token) bytes.WriteByte((byte)ByteAlphabet.ByteOf(character));
            }
            else
            {
                bytes.Write(Encoding.UTF8.GetBytes(token));
            }
        }

        return [Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length)];
    }

    /// <summary>Joins runs of tokens like &lt;0xE2&gt; into text; a run that is not UTF-8 becomes one U+FFFD for each byte.</summary>
    private static List<string> JoinBytes(IReadOnlyList<string> tokens)
    {
        var pieces = new List<string>(tokens.Count);
        var run = new List<byte>();
        foreach (var token in tokens.Append<string?>(null))
        {
            if (ByteOf(token) is { } value)
            {
                run.Add(value);
                continue;
            }

            if (run.Count > 0) pieces.Add(TextOf([.. run]));
            run.Clear();
            if (token is not null) pieces.Add(token);
        }

        return pieces;
    }

    private static byte? ByteOf(string? token) =>
        token is ['<', '0', 'x', _, _, '>']
        && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            ? value
            : null;

    private static string TextOf(byte[] bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return new string('\uFFFD', bytes.Length);
        }
    }

    /// <summary>
    /// Takes up to <paramref name="start"/> copies of a character off a piece's front, up to <paramref name="stop"/> off its end.
    /// </summary>
    private static string Strip(string token, Rune content, int start, int stop)
    {
        var width = content.Utf16SequenceLength;
        var text = token.AsSpan();
        for (var i = 0; i < start && Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && rune == content; i++)
            text = text[width..];
        for (var i = 0; i < stop && Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && rune == content; i++)
            text = text[..^width];
        return text.ToString();
    }
}
