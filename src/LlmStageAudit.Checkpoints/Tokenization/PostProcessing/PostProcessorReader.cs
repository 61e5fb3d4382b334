using LlmStageAudit.Checkpoints.Tokenization.Files;

namespace LlmStageAudit.Checkpoints.Tokenization.PostProcessing;

/// <summary>Reads the "post_processor" of tokenizer.json, as far as it concerns one text (pairs are not encoded).</summary>
internal static class PostProcessorReader
{
    private const int StepLimit = 64;
    private static readonly string[] Supported = ["TemplateProcessing", "ByteLevel", "Sequence"];

    /// <summary>Reads the template that goes around a text's ids.</summary>
    /// <param name="site">The post-processor, or null.</param>
    /// <param name="isToken">Whether a token has an id; templates may name no other ids.</param>
    public static SequenceTemplate Read(JsonSite? site, Func<int, bool> isToken) =>
        site is { } present ? ReadOne(present, isToken) : SequenceTemplate.Empty;

    private static SequenceTemplate ReadOne(JsonSite site, Func<int, bool> isToken)
    {
        switch (site.Text("type"))
        {
            case "ByteLevel":
                site.RequireOnly("type", "add_prefix_space", "trim_offsets", "use_regex");
                return SequenceTemplate.Empty with
                {
                    TrimsOffsets = site.Flag("trim_offsets", absent: true),
                    AddsPrefixSpace = site.Flag("add_prefix_space", absent: true),
                };
            case "TemplateProcessing":
                site.RequireOnly("type", "single", "pair", "special_tokens");
                return ReadTemplate(site, isToken);
            case "Sequence":
                site.RequireOnly("type", "processors");
                return site.Required("processors").Items(StepLimit)
                    .Aggregate(SequenceTemplate.Empty, (inner, step) => inner.Within(ReadOne(step, isToken)));
            case var other:
                throw TokenizerException.Unsupported(site.Where, $"the post-processor '{other}'", Supported);
        }
    }

    private static SequenceTemplate ReadTemplate(JsonSite site, Func<int, bool> isToken)
    {
        var single = site.Required("single");
        List<int> before = [], after = [];
        var ownIds = false;
        foreach (var part in single.Items(StepLimit))
        {
            part.RequireOnly("SpecialToken", "Sequence");
            if (part.Find("SpecialToken") is { } special)
            {
                (ownIds ? after : before).AddRange(SpecialIds(site, special, isToken));
            }
            else if (part.Required("Sequence").Text("id") != "A" || ownIds)
            {
                throw TokenizerException.Invalid(part.Where, "another sequence", "the sequence A once");
            }
            else
            {
                ownIds = true;
            }
        }

        return ownIds
            ? new SequenceTemplate(before, after)
            : throw TokenizerException.Invalid(single.Where, "no sequence", "the sequence A once");
    }

    private static IEnumerable<int> SpecialIds(JsonSite site, JsonSite special, Func<int, bool> isToken)
    {
        var definition = site.Required("special_tokens").Required(special.Text("id"));
        foreach (var item in definition.Required("ids").Items(StepLimit))
        {
            var id = item.Id();
            if (!isToken(id)) throw TokenizerException.Invalid(item.Where, $"no token has the id {id}", "an id of the vocabulary");
            yield return id;
        }
    }
}
