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
