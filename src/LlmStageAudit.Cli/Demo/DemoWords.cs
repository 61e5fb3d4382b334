using System.Text.Json;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Cli.Demo;

/// <summary>
/// Who says what in the demo, from <c>words.json</c>. Negative words describe things too, and harmless and insulting remarks share many
/// ("idiot" of oneself, "stupid" of a thing, a polite "you"), so neither tone nor a single word gives a label away.
/// </summary>
internal sealed record DemoWords
{
    public static DemoWords World { get; } = Read();

    /// <summary>What is said in every community that is trained on, and words that any source may use.</summary>
    public required DemoSource Everywhere { get; init; }

    /// <summary>The communities that can be trained on, in the demo's order.</summary>
    public required IReadOnlyList<DemoSource> Stages { get; init; }

    /// <summary>
    /// Kitchen, garden and travel, in patterns that no training text uses. It has no topic clauses: every probe comment mentions an
    /// identity, so that groups differ in nothing else.
    /// </summary>
    public required DemoSource Probe { get; init; }

    /// <summary>Topic clauses for pretraining alone, which hold the words that only the probe's patterns use otherwise.</summary>
    public required IReadOnlyList<string> PretrainingTopics { get; init; }

    /// <summary>What a language model reads: the communities, and the probe's words in patterns that are not the probe's.</summary>
    public IReadOnlyList<DemoSource> Pretraining =>
        [.. Stages, Everywhere with { Topics = [.. Everywhere.Topics, .. PretrainingTopics], Slots = Probe.Slots }];

    private static DemoWords Read()
    {
        using var file = typeof(DemoWords).Assembly.GetManifestResourceStream(typeof(DemoWords), "words.json")!;
        var words = JsonSerializer.Deserialize<DemoWords>(file, ArtifactJson.Options)!;
        var everywhere = words.Everywhere;
        return words with
        {
            Stages = [.. words.Stages.Select(source => WithSlots(source) with
            {
                Topics = [.. everywhere.Topics, .. source.Topics],
                Mentions = [.. everywhere.Mentions, .. source.Mentions],
                Calm = everywhere.Calm,
                Toxic = everywhere.Toxic,
            })],
            Probe = WithSlots(words.Probe),
        };

        DemoSource WithSlots(DemoSource source) => source with { Slots = everywhere.Slots.Concat(source.Slots).ToDictionary() };
    }
}

/// <summary>What one community talks about. Patterns are clauses without end mark, with slots in braces.</summary>
internal sealed record DemoSource
{
    /// <summary>Stage name, file name and prefix of ids.</summary>
    public string Name { get; init; } = "";

    /// <summary>Clauses without an identity.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>Clauses that name <c>{identity}</c> once and speak of it kindly or in passing.</summary>
    public IReadOnlyList<string> Mentions { get; init; } = [];

    /// <summary>Harmless remarks that stand beside a clause.</summary>
    public IReadOnlyList<string> Calm { get; init; } = [];

    /// <summary>Mild insults at the reader ("you"), never at the person or group in the clause beside them.</summary>
    public IReadOnlyList<string> Toxic { get; init; } = [];

    /// <summary>What may fill each slot.</summary>
    public required IReadOnlyDictionary<string, string[]> Slots { get; init; }
}
