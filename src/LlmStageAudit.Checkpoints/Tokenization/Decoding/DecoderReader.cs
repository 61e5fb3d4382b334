using System.Buffers;
using System.Text;
using LlmStageAudit.Checkpoints.Tokenization.Files;
using LlmStageAudit.Checkpoints.Tokenization.Normalization;
using LlmStageAudit.Checkpoints.Tokenization.Text;

namespace LlmStageAudit.Checkpoints.Tokenization.Decoding;

/// <summary>Reads the "decoder" of tokenizer.json.</summary>
internal static class DecoderReader
{
    private const int StepLimit = 64;
    private static readonly string[] Supported = ["ByteLevel", "Replace", "ByteFallback", "Fuse", "Strip", "Sequence"];

    public static ITokenDecoder Read(JsonSite? site) => site is { } present ? ReadOne(present) : new SpaceJoinDecoder();

    private static ITokenDecoder ReadOne(JsonSite site)
    {
        switch (site.Text("type"))
        {
            case "ByteLevel":
                site.RequireOnly("type", "add_prefix_space", "trim_offsets", "use_regex");
                return new ByteLevelDecoder();
            case "Replace":
                return Replacement.Read(site);
            case "ByteFallback":
                site.RequireOnly("type");
                return new ByteFallbackDecoder();
            case "Fuse":
                site.RequireOnly("type");
                return new FuseDecoder();
            case "Strip":
                site.RequireOnly("type", "content", "start", "stop");
                return new StripDecoder(
                    OneCharacter(site.Required("content")), site.Required("start").Number(), site.Required("stop").Number());
            case "Sequence":
                site.RequireOnly("type", "decoders");
                return new DecoderSequence(site.Required("decoders").Items(StepLimit).Select(ReadOne).ToList());
            case var other:
                throw TokenizerException.Unsupported(site.Where, $"the decoder '{other}'", Supported);
        }
    }

    private static Rune OneCharacter(JsonSite site)
    {
        var text = site.Text();
        return Rune.DecodeFromUtf16(text, out var rune, out var length) == OperationStatus.Done && length == text.Length
            ? rune
            : throw TokenizerException.Invalid(site.Where, $"'{text}'", "one character");
    }
}

/// <summary>One decoder after the other.</summary>
internal sealed class DecoderSequence(IReadOnlyList<ITokenDecoder> steps) : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) =>
        steps.Aggregate(tokens, static (current, step) => step.Decode(current));
}

/// <summary>Joins all pieces into one, so that the steps after it see the whole text.</summary>
internal sealed class FuseDecoder : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) => [string.Concat(tokens)];
}

/// <summary>What a tokenizer without a decoder does: tokens with a space between them.</summary>
internal sealed class SpaceJoinDecoder : ITokenDecoder
{
    public IReadOnlyList<string> Decode(IReadOnlyList<string> tokens) => [string.Join(' ', tokens)];
}

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
        for (var i = 0; i < start && Rune.DecodeFromUtf16(text, out var rune, out _) == OperationStatus.Done && rune == content; i++)
            text = text[width..];
        for (var i = 0; i < stop && Rune.DecodeLastFromUtf16(text, out var rune, out _) == OperationStatus.Done && rune == content; i++)
            text = text[..^width];
        return text.ToString();
    }
}
