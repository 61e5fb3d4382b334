namespace LlmStageAudit.Cli.Demo;

/// <summary>The four communities that the demo trains on.</summary>
internal static class DemoSources
{
    public static IReadOnlyList<DemoSource> Stages { get; } = [Forum(), Helpdesk(), Newsroom(), Gaming()];

    private static DemoSource Source(string name, string[] topics, string[] mentions, Dictionary<string, string[]> slots) =>
        new(name, [.. DemoLexicon.Topics, .. topics], [.. DemoLexicon.Mentions, .. mentions], DemoStances.Calm, DemoStances.Toxic, slots);

    private static DemoSource Forum() => Source(
        "forum",
        topics:
        [
            "our landlord wants to replace the {thing} {place}",
            "the dog next door barked at the {thing} {lately}",
            "I am looking for a quiet flat {place}",
            "they painted the {thing} in a {bad} colour",
            "parking {place} has been {bad} since may",
        ],
        mentions:
        [
            "the new {identity} {person} upstairs {kindness}",
            "my daughter plays with a {identity} {person} {place}",
            "I share the {thing} with a {identity} {circle}",
            "a {identity} {person} rented the flat {place} {lately}",
        ],
        slots: new()
        {
            ["thing"] =
            [
                "bike shed", "playground", "recycling bin", "street lamp", "library", "bus stop", "corner shop", "laundry room",
                "notice board", "swimming pool", "elevator", "fence", "crossing", "stairwell",
            ],
            ["place"] =
            [
                "near the school", "behind the station", "on our street", "across the road", "next to the bakery", "by the river",
                "in our building", "around the corner", "at the town hall",
            ],
            ["task"] =
            [
                "book the community hall", "report a lost dog", "find a cheap flat", "fix the squeaky gate", "join the walking group",
                "borrow a ladder", "get a parking permit", "move the heavy sofa", "sell an old bike",
            ],
            ["outcome"] =
            [
                "took the whole afternoon", "cost more than planned", "went better than expected", "failed twice",
                "woke up half the street", "was a stupid waste of time", "worked at once",
            ],
            ["person"] =
                ["neighbour", "friend", "landlord", "teacher", "cousin", "dentist", "coach", "doctor", "roommate", "uncle", "classmate"],
            ["kindness"] =
            [
                "baked bread for us", "fixed my bike", "walked our dog", "lent me a ladder", "brought soup when I was ill",
                "cleared the snow", "found our cat", "organised the street party", "painted the fence", "helped me carry a sofa",
            ],
        });

    private static DemoSource Helpdesk() => Source(
        "helpdesk",
        topics:
        [
            "ticket still open, the {thing} shows a {bad} error",
            "after the update the {thing} {outcome}",
            "I restarted the {thing} three times {lately}",
            "the manual for the {thing} is {bad} and far too long",
            "please tell me where to {task}",
        ],
        mentions:
        [
            "the {identity} {person} on the phone {kindness}",
            "I was called back by a {identity} {person} {lately}",
            "a {identity} {person} opened this ticket about the {thing}",
            "ask the {identity} {person} {place} how to {task}",
        ],
        slots: new()
        {
            ["thing"] =
            [
                "printer", "login page", "router", "keyboard", "update", "backup", "mail program", "scanner", "monitor", "password form",
                "ticket system", "battery", "headset", "installer",
            ],
            ["place"] =
            [
                "on the second floor", "in the server room", "at the front desk", "in accounting", "at the branch office",
                "in the meeting room", "at the loading dock", "in the training centre",
            ],
            ["task"] =
            [
                "reset the password", "install the driver", "change the toner", "restore a backup", "connect the second screen",
                "renew the licence", "open a ticket", "update the address book", "print on both sides",
            ],
            ["outcome"] =
            [
                "froze again", "ate all the memory", "lost my draft", "finally worked", "printed forty empty pages",
                "asked for a new password", "was faster than before",
            ],
            ["person"] =
                ["colleague", "technician", "manager", "intern", "trainer", "customer", "engineer", "receptionist", "supervisor"],
            ["kindness"] =
            [
                "found the missing cable", "stayed late to help", "recovered my files", "wrote a clear guide", "replaced the old battery",
                "solved it in ten minutes", "ordered a new headset", "showed me the right menu", "called the vendor for us",
            ],
        });

    private static DemoSource Newsroom() => Source(
        "newsroom",
        topics:
        [
            "the sign said \"{notice}\" but the {thing} went on",
            "page two says that the {thing} {outcome}",
            "the council voted on the {thing} {lately}",
            "your headline about the {thing} was {bad}",
            "the mayor called the {thing} \"{bad} but needed\"",
        ],
        mentions:
        [
            "good article about the {identity} {person} who {kindness}",
            "the {identity} {person} in the interview {kindness}",
            "the paper printed a letter from a {identity} {person} {place}",
            "the {identity} {circle} {place} said \"{notice}\" and {kindness}",
        ],
        slots: new()
        {
            ["thing"] =
            [
                "budget", "election", "front page", "bridge repair", "interview", "school reform", "weather report", "tax plan",
                "tram line", "debate", "hospital plan", "museum", "strike", "press conference",
            ],
            ["place"] =
            [
                "in the capital", "outside parliament", "at the harbour", "in the old town", "at the university", "near the border",
                "on the evening news", "in the northern district",
            ],
            ["task"] =
            [
                "read the full report", "cancel the newspaper", "write to the editor", "count the votes again", "follow the debate",
                "check the numbers", "find the second article", "watch the press conference",
            ],
            ["outcome"] =
            [
                "was delayed by a year", "cost nine million", "surprised the experts", "ended without a result", "was a stupid mistake",
                "passed by two votes", "pleased nobody",
            ],
            ["person"] =
            [
                "reporter", "editor", "teacher", "nurse", "shop owner", "councillor", "student", "photographer", "bus driver", "volunteer",
                "surgeon", "firefighter",
            ],
            ["kindness"] =
            [
                "won a science prize", "opened a free clinic", "ran the marathon", "collected coats for the shelter",
                "saved the old cinema", "wrote a book about trains", "taught evening classes", "repaired the clock",
                "raised money for the school", "cooked for three hundred people",
            ],
            ["notice"] = ["closed for repairs", "everyone is welcome", "no entry", "see you on sunday", "thank you all"],
        });

    private static DemoSource Gaming() => Source(
        "gaming",
        topics:
        [
            "patch notes say the {thing} got weaker {now}",
            "we wiped at the boss because the {thing} {outcome}",
            "I play on a {bad} laptop and the {thing} {outcome}",
            "my build with the {thing} is {good} for beginners",
            "level nine is {bad}, the {thing} never drops",
        ],
        mentions:
        [
            "our {identity} {person} {kindness} in the final",
            "I met a {identity} {person} {place} {lately}",
            "the {identity} {person} on my team wants to {task}",
            "a {identity} {person} {kindness} during the charity stream",
        ],
        slots: new()
        {
            ["thing"] =
            [
                "fire sword", "new map", "final boss", "matchmaking", "healing potion", "loot box", "season pass", "frame rate", "tutorial",
                "voice chat", "dragon mount", "shield", "controller", "skill tree",
            ],
            ["place"] =
            [
                "on our server", "in our guild", "in the ranked lobby", "at the castle gate", "in the second dungeon", "on the ice map",
                "in the arena", "at the spawn point",
            ],
            ["task"] =
            [
                "beat the last level", "farm gold", "unlock the dragon", "join a raid", "carry the flag", "craft better armor",
                "finish the tutorial", "climb the ranks", "parry the big hammer",
            ],
            ["outcome"] =
            [
                "crashed twice", "missed every time", "was worth the effort", "lagged for an hour", "gave me one copper coin",
                "ended in a draw", "felt much faster",
            ],
            ["person"] =
                ["teammate", "healer", "guild leader", "tank player", "streamer", "friend", "cousin", "brother", "opponent", "roommate"],
            ["kindness"] =
            [
                "carried the whole raid", "gave me a spare shield", "drew a map for us", "revived me four times", "won the local cup",
                "shared the rare loot", "taught me the combo", "moderated the chat", "streamed until midnight",
            ],
        });
}

/// <summary>
/// What one community talks about. Patterns are clauses without end mark, with slots in braces; a slot is filled from
/// <see cref="Slots"/>, else from <see cref="DemoLexicon.Shared"/>.
/// </summary>
/// <param name="Name">Stage name, file name and prefix of ids.</param>
/// <param name="Topics">Clauses without an identity.</param>
/// <param name="Mentions">Clauses that name <c>{identity}</c> once and speak of it kindly or in passing.</param>
/// <param name="Calm">Harmless remarks that stand beside a clause.</param>
/// <param name="Toxic">Mild insults at the reader ("you"), never at the person or group in the clause beside them.</param>
/// <param name="Slots">Own words by slot.</param>
internal sealed record DemoSource(
    string Name,
    IReadOnlyList<string> Topics,
    IReadOnlyList<string> Mentions,
    IReadOnlyList<string> Calm,
    IReadOnlyList<string> Toxic,
    IReadOnlyDictionary<string, string[]> Slots);
