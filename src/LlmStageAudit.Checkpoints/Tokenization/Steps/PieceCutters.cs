using Microsoft.ML.Tokenizers;

namespace LlmStageAudit.Checkpoints.Tokenization.Steps;

/// <summary>Cuts normalized text into pieces that are tokenized apart, and may spell them anew.</summary>
internal abstract class PieceCutter : PreTokenizer
{
    /// <summary>This step without its cuts: what it spells anew, it still does.</summary>
    public virtual PieceCutter Uncut => PieceCutterSequence.Empty;

    /// <summary>Appends the pieces of a text, never an empty one.</summary>
    public abstract void Cut(AlignedText text, List<AlignedText> pieces);

    /// <summary>Reads the "pre_tokenizer" of tokenizer.json.</summary>
    public static PieceCutter Read(JsonSite site)
    {
        switch (site.Text("type"))
        {
            case "ByteLevel":
                site.Only("type", "add_prefix_space", "trim_offsets", "use_regex");
                return new ByteLevelPreTokenizer(site.Flag("add_prefix_space", absent: true), site.Flag("use_regex", absent: true));
            case "Split":
                site.Only("type", "pattern", "behavior", "invert");
                return new PatternSplit(
                    TextPattern.Read(site.Required("pattern")), Behavior(site.Required("behavior")), site.Flag("invert", absent: false));
            case "Digits":
                var apart = site.Only("type", "individual_digits").Flag("individual_digits", absent: false);
                var behavior = apart ? SplitBehavior.Isolated : SplitBehavior.Contiguous;
                return new PatternSplit(TextPattern.Number(site.Where), behavior, invert: false);
            case "Metaspace":
                return new MetaspacePreTokenizer(Metaspace.Read(site));
            case "Sequence":
                return new PieceCutterSequence(site.Only("type", "pretokenizers").Steps("pretokenizers", Read));
            case var other:
                throw site.Unsupported($"the pre-tokenizer '{other}'", "ByteLevel", "Split", "Digits", "Metaspace", "Sequence");
        }
    }

    public sealed override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        var pieces = new List<AlignedText>();
        Cut(new AlignedText(WellFormedText.Of(text), tracks: true), pieces);
        return pieces.Select(static piece => piece.Origin(0, piece.Text.Length)).Select(static part => (part.Start, part.End - part.Start));
    }

    public sealed override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());

    private static SplitBehavior Behavior(JsonSite site)
    {
        var name = site.Text();
        return Enum.GetNames<SplitBehavior>().Contains(name)
            ? Enum.Parse<SplitBehavior>(name)
            : throw site.Unsupported($"the behavior '{name}'", Enum.GetNames<SplitBehavior>());
    }
}

/// <summary>Each step cuts the pieces of the step before; no step leaves the text in one piece.</summary>
internal sealed class PieceCutterSequence(IReadOnlyList<PieceCutter> steps) : PieceCutter
{
    public static PieceCutter Empty { get; } = new PieceCutterSequence([]);

    public override PieceCutter Uncut => new PieceCutterSequence(steps.Select(static step => step.Uncut).ToList());

    public override void Cut(AlignedText text, List<AlignedText> pieces)
    {
        if (text.Text.Length == 0) return;
        List<AlignedText> current = [text];
        foreach (var step in steps)
        {
            var next = new List<AlignedText>(current.Count);
            foreach (var piece in current) step.Cut(piece, next);
            current = next;
        }

        pieces.AddRange(current);
    }
}

/// <summary>Optionally puts a space before the text and cuts it as GPT-2 does; then spells every piece in GPT-2's byte alphabet.</summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool cut) : PieceCutter
{
    private static readonly Prepend PrefixSpace = new(" ");

    public bool AddsPrefixSpace => addPrefixSpace;

    public override PieceCutter Uncut => new ByteLevelPreTokenizer(addPrefixSpace, cut: false);

    public override void Cut(AlignedText text, List<AlignedText> pieces)
    {
        if (text.Text.Length == 0) return;
        if (addPrefixSpace && text.Text[0] != ' ') text = PrefixSpace.Apply(text);
        for (var start = 0; start < text.Text.Length;)
        {
            var end = cut ? Gpt2Pieces.End(text.Text, start) : text.Text.Length;
            pieces.Add(text.Rewritten(start, end, ByteAlphabet.Spell(text.Text.AsSpan(start, end - start)), ByteAlphabet.Origins));
            start = end;
        }
    }
}
