using Microsoft.ML.Tokenizers;

namespace LlmStageAudit.Checkpoints.Tokenization.Steps;

/// <summary>The special tokens that stand before and after a text's own ids, and what becomes of the offsets of its own.</summary>
internal sealed record SequenceTemplate(IReadOnlyList<int> Before, IReadOnlyList<int> After)
{
    public static SequenceTemplate Empty { get; } = new([], []);

    /// <summary>White space at the ends of tokens is no part of their offsets.</summary>
    public bool TrimsOffsets { get; init; }

    /// <summary>One space before the first token was put there: the text has none to leave out.</summary>
    public bool AddsPrefixSpace { get; init; }

    /// <summary>Reads the "post_processor" of tokenizer.json, as far as it concerns one text (pairs are not encoded).</summary>
    /// <param name="site">The post-processor.</param>
    /// <param name="isToken">Whether a token has an id; templates may name no other ids.</param>
    public static SequenceTemplate Read(JsonSite site, Func<int, bool> isToken)
    {
        switch (site.Text("type"))
        {
            case "ByteLevel":
                site.Only("type", "add_prefix_space", "trim_offsets", "use_regex");
                return Empty with
                {
                    TrimsOffsets = site.Flag("trim_offsets", absent: true),
                    AddsPrefixSpace = site.Flag("add_prefix_space", absent: true),
                };
            case "TemplateProcessing":
                return ReadTemplate(site.Only("type", "single", "pair", "special_tokens"), isToken);
            case "Sequence":
                return site.Only("type", "processors").Steps("processors", step => Read(step, isToken))
                    .Aggregate(Empty, static (inner, outer) => inner.Within(outer));
            case var other:
                throw site.Unsupported($"the post-processor '{other}'", "TemplateProcessing", "ByteLevel", "Sequence");
        }
    }

    private static SequenceTemplate ReadTemplate(JsonSite site, Func<int, bool> isToken)
    {
        var single = site.Required("single");
        List<int> before = [], after = [];
        var ownIds = false;
        foreach (var part in single.Items(JsonSite.StepLimit))
        {
            part.Only("SpecialToken", "Sequence");
            if (part.Find("SpecialToken") is { } special)
            {
                (ownIds ? after : before).AddRange(SpecialIds(site, special, isToken));
            }
            else if (part.Required("Sequence").Text("id") != "A" || ownIds)
            {
                throw part.Fault("another sequence", "the sequence A once");
            }
            else
            {
                ownIds = true;
            }
        }

        return ownIds
            ? new SequenceTemplate(before, after)
            : throw single.Fault("no sequence", "the sequence A once");
    }

    private static IEnumerable<int> SpecialIds(JsonSite site, JsonSite special, Func<int, bool> isToken)
    {
        var definition = site.Required("special_tokens").Required(special.Text("id"));
        foreach (var item in definition.Required("ids").Items(JsonSite.StepLimit))
        {
            var id = item.Id();
            if (!isToken(id)) throw item.Fault($"no token has the id {id}", "an id of the vocabulary");
            yield return id;
        }
    }

    /// <summary>This template with another put around it.</summary>
    public SequenceTemplate Within(SequenceTemplate outer) => new([.. outer.Before, .. Before], [.. After, .. outer.After])
    {
        TrimsOffsets = TrimsOffsets || outer.TrimsOffsets,
        AddsPrefixSpace = AddsPrefixSpace || outer.AddsPrefixSpace,
    };

    /// <summary>A token of the text with its final offset. Source: Hugging Face tokenizers, process_offsets of ByteLevel.</summary>
    public EncodedToken Trim(EncodedToken token, int index)
    {
        if (!TrimsOffsets) return token;
        var (start, end) = (token.Offset.Start.Value, token.Offset.End.Value);
        var leading = token.Value.TakeWhile(IsSpace).Count();
        var trailing = token.Value.Reverse().TakeWhile(IsSpace).Count();
        if (AddsPrefixSpace && leading == 1 && (index == 0 || start == 0)) leading = 0;
        start = Math.Min(start + leading, end);
        return new EncodedToken(token.Id, token.Value, start..(trailing <= end ? Math.Max(end - trailing, start) : end));
    }

    private static bool IsSpace(char character) => character == ByteAlphabet.CharOf((byte)' ') || char.IsWhiteSpace(character);
}
