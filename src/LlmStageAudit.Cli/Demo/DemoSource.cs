namespace LlmStageAudit.Cli.Demo;

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
