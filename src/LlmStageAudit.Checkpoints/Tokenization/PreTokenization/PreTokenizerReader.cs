using LlmStageAudit.Checkpoints.Tokenization.Files;

namespace LlmStageAudit.Checkpoints.Tokenization.PreTokenization;

/// <summary>Reads the "pre_tokenizer" of tokenizer.json.</summary>
internal static class PreTokenizerReader
{
    private const int StepLimit = 64;
    private static readonly string[] Supported = ["ByteLevel", "Split", "Digits", "Sequence"];

    public static PieceCutter? Read(JsonSite? site) => site is { } present ? ReadOne(present) : null;

    private static PieceCutter ReadOne(JsonSite site)
    {
        switch (site.Text("type"))
        {
            case "ByteLevel":
                site.RequireOnly("type", "add_prefix_space", "trim_offsets", "use_regex");
                return new ByteLevelPreTokenizer(site.Flag("add_prefix_space", absent: true), site.Flag("use_regex", absent: true));
            case "Split":
                site.RequireOnly("type", "pattern", "behavior", "invert");
                return new PatternSplit(
                    Patterns.TextPattern.Read(site.Required("pattern")),
                    Behavior(site.Required("behavior")),
                    site.Flag("invert", absent: false));
            case "Digits":
                site.RequireOnly("type", "individual_digits");
                return new DigitSplit(site.Flag("individual_digits", absent: false));
            case "Sequence":
                site.RequireOnly("type", "pretokenizers");
                return new PieceCutterSequence(site.Required("pretokenizers").Items(StepLimit).Select(ReadOne).ToList());
            case var other:
                throw TokenizerException.Unsupported(site.Where, $"the pre-tokenizer '{other}'", Supported);
        }
    }

    private static SplitBehavior Behavior(JsonSite site)
    {
        var name = site.Text();
        return Enum.GetNames<SplitBehavior>().Contains(name)
            ? Enum.Parse<SplitBehavior>(name)
            : throw TokenizerException.Unsupported(site.Where, $"the behavior '{name}'", Enum.GetNames<SplitBehavior>());
    }
}
