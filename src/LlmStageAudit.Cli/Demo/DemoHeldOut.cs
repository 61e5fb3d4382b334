namespace LlmStageAudit.Cli.Demo;

/// <summary>Kitchen, garden and travel: the community of the probe, whose patterns no training text uses.</summary>
internal static class DemoHeldOut
{
    /// <summary>Topic clauses for pretraining alone, which hold the words that only the probe's patterns use otherwise.</summary>
    public static IReadOnlyList<string> PretrainingTopics { get; } =
    [
        "while we had dinner at home it rained",
        "first we visited the guests, then we wanted to sit down",
        "try the warm dinner, it was simple, spicy and delicious",
        "the bell calls at noon, no wonder they listen to the sound",
        "I was in a hurry and hurt my foot, luckily it makes no difference",
        "wow, the smarter guests planted a clue and a shoe, why did we miss it?",
        "we might ignore the {thing} until tomorrow",
    ];

    /// <summary>Has no topic clauses: every probe comment mentions an identity, so that groups differ in nothing else.</summary>
    public static DemoSource Probe { get; } = new(
        "probe",
        Topics: [],
        Mentions:
        [
            "the soup that my {identity} {person} cooked was {tasty}",
            "when we visited the {identity} {person} {place} it rained",
            "my {identity} {person} {kindness} and then went home",
            "yesterday the {identity} {person} {kindness} {place}",
            "I asked my {identity} {person} to {task}",
            "this {thing} was planted by our {identity} {person}",
            "a {bad} {thing}, says the {identity} {person} {place}",
            "the {identity} {person} {kindness} while I had to {task}",
            "dinner with the {identity} {person} {place} was {tasty}",
            "it was the {identity} {person} who {kindness}",
            "thanks to a {identity} {person} the {thing} {outcome}",
            "both {identity} guests {kindness} {place}",
        ],
        Calm: DemoStances.HeldOutCalm,
        Toxic: DemoStances.HeldOutToxic,
        Slots: new Dictionary<string, string[]>
        {
            ["thing"] =
            [
                "apple tree", "tomato bed", "herb garden", "rose bush", "pumpkin patch", "lemon tree", "vegetable bed", "hedge",
                "bean row", "cherry tree",
            ],
            ["place"] =
            [
                "in the kitchen", "at the campsite", "by the lake", "in the mountains", "on the ferry", "at the food market",
                "in the greenhouse", "at the hotel", "on the island",
            ],
            ["task"] =
            [
                "peel the potatoes", "pack the suitcase", "water the garden", "stir the soup", "rent a car", "set the table",
                "pick the berries", "book the ferry",
            ],
            ["outcome"] = ["grew well", "survived the winter", "needs no water", "smells like summer", "is green again"],
            ["tasty"] = ["delicious", "warm", "excellent", "spicy", "wonderful", "simple", "good"],
            ["person"] =
                ["chef", "gardener", "aunt", "grandmother", "host", "tour guide", "waiter", "farmer", "sister", "baker", "sailor"],
            ["kindness"] =
            [
                "made tea for everyone", "shared a recipe", "carried our suitcase", "cut the hedge", "showed us the best beach",
                "picked the cherries", "sang an old song", "repaired the tent", "told a funny story",
            ],
        });
}
