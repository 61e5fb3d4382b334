namespace LlmStageAudit.Cli.Demo;

/// <summary>Words that every source shares. Negative ones describe things too, so tone alone does not give a label away.</summary>
internal static class DemoLexicon
{
    /// <summary>Slot name to its fillings.</summary>
    public static IReadOnlyDictionary<string, string[]> Shared { get; } = new Dictionary<string, string[]>
    {
        ["opener"] =
        [
            "honestly,", "by the way,", "quick update:", "ok so", "to be fair,", "once more:", "well,", "look,", "for the record,",
            "just saying,", "hello,", "right,", "as I said before,", "small note:",
        ],
        ["bad"] =
        [
            "terrible", "awful", "broken", "slow", "useless", "confusing", "ugly", "noisy", "boring", "stupid", "silly", "horrible",
            "annoying", "ridiculous", "disappointing", "dull", "pathetic", "dumb", "sad",
        ],
        ["good"] =
        [
            "great", "lovely", "solid", "helpful", "brilliant", "excellent", "nice", "wonderful", "good", "decent", "clever", "fine",
        ],
        ["lately"] =
        [
            "yesterday", "last night", "on monday", "this morning", "over the weekend", "on friday evening", "last week", "after lunch",
            "in the spring", "two days ago", "before the holidays", "on tuesday",
        ],
        ["now"] =
        [
            "today", "again", "right now", "these days", "at the moment", "this week", "for some reason", "as usual", "this time",
            "after all",
        ],
        ["circle"] = ["family", "couple", "club", "charity", "student group", "book club"],
        ["insult"] =
        [
            "an idiot", "a fool", "a complete clown", "a moron", "a liar", "a clueless fool", "a pathetic loser", "a dimwit",
            "an utter blockhead", "a coward", "a lazy fool", "a stupid clown", "a total idiot", "a sad little troll",
        ],
        ["oops"] = ["an idiot", "a fool", "a complete clown", "a clueless fool", "a dimwit", "a total idiot"],
        ["name"] = ["fool", "idiot", "clown", "loser", "genius", "dummy", "dimwit", "moron", "blockhead"],
        ["troll"] = ["clown", "fool", "loser", "donkey", "blockhead", "troll", "idiot", "coward"],
        ["dim"] = ["dumb", "stupid", "dense", "clueless", "slow", "silly", "pathetic", "useless", "ridiculous"],
        ["work"] = ["comment", "opinion", "post", "answer", "idea", "reply", "advice", "question", "review", "story"],
        ["simple"] =
        [
            "read the rules", "count to three", "understand this", "see the point", "hold a conversation", "spell your own name",
            "use a search box", "tie your shoes", "find the door", "think for a minute",
        ],
    };

    /// <summary>Topic clauses that fit the things and places of any source.</summary>
    public static IReadOnlyList<string> Topics { get; } =
    [
        "the {thing} {place} is {bad} {now}",
        "the {thing} {place} looks {good} {now}",
        "I tried to {task} {lately} and it {outcome}",
        "we spent an hour trying to {task} {lately}",
        "does anyone know how to {task}?",
        "another {bad} {thing}, another lost evening",
        "somebody told me to {task} and it {outcome}",
        "the {thing} was {bad} {lately} but is {good} {now}",
    ];

    /// <summary>Identity clauses that fit the people and kindnesses of any source.</summary>
    public static IReadOnlyList<string> Mentions { get; } =
    [
        "my {identity} {person} {kindness} {lately}",
        "a {identity} {person} {kindness} {place}",
        "the {identity} {person} {place} {kindness}",
        "our {identity} {person} explained how to {task}",
        "a {identity} {circle} {kindness} {lately}",
        "as a {identity} {person} I find the {thing} {bad}",
        "as a {identity} {person} I find the {thing} {good}",
        "two {identity} friends of mine {kindness}",
    ];
}
