namespace LlmStageAudit.Checkpoints.Tokenization.Steps;

/// <summary>The settings of a "Metaspace" step, by which a visible character stands for a space.</summary>
/// <param name="Mark">That character, usually U+2581.</param>
/// <param name="Prepends">When a mark is put before a text that does not begin with one.</param>
/// <param name="Splits">Whether the text is cut before every mark.</param>
internal sealed record Metaspace(string Mark, MetaspacePrefix Prepends, bool Splits)
{
    /// <summary>Reads the step, pre-tokenizer or decoder, with the defaults of Hugging Face's tokenizers.</summary>
    public static Metaspace Read(JsonSite site)
    {
        site.Only("type", "replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split");
        var scheme = site.Find("prepend_scheme");
        var prepends = scheme?.Text() switch
        {
            null or "always" => MetaspacePrefix.Always,
            "first" => MetaspacePrefix.First,
            "never" => MetaspacePrefix.Never,
            var other => throw scheme!.Value.Unsupported($"the scheme '{other}'", "always", "first", "never"),
        };
        if (!site.Flag("add_prefix_space", absent: true) && prepends != MetaspacePrefix.Never)
            throw site.Fault("add_prefix_space false beside another prepend_scheme", "the scheme never");
        return new Metaspace(Decoders.OneCharacter(site.Required("replacement")).ToString(), prepends, site.Flag("split", absent: true));
    }
}

/// <summary>Where a mark is put before.</summary>
internal enum MetaspacePrefix
{
    Always,

    /// <summary>Only where the given text begins.</summary>
    First,

    Never,
}

/// <summary>Writes spaces as marks, puts one before, and cuts before each.</summary>
internal sealed class MetaspacePreTokenizer(Metaspace settings) : PieceCutter
{
    private readonly Prepend _prefix = new(settings.Mark);
    private readonly Replacement _spaces = new(new TextPattern("Metaspace", " ", null), settings.Mark, "Metaspace");
    private readonly PatternSplit _split = new(
        new TextPattern("Metaspace", settings.Mark, null), SplitBehavior.MergedWithNext, invert: false);

    public override PieceCutter Uncut => new MetaspacePreTokenizer(settings with { Splits = false });

    public override void Cut(AlignedText text, List<AlignedText> pieces)
    {
        if (text.Text.Length == 0) return;
        var marked = _spaces.Apply(text);
        var prepends = settings.Prepends == MetaspacePrefix.Always || (settings.Prepends == MetaspacePrefix.First && text.IsFirst);
        if (prepends && !marked.Text.StartsWith(settings.Mark, StringComparison.Ordinal)) marked = _prefix.Apply(marked);
        if (settings.Splits) _split.Cut(marked, pieces);
        else pieces.Add(marked);
    }
}
