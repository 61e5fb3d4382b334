using System.CommandLine;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>A command with examples, which its own help shows and the list of all verbs does not.</summary>
internal sealed class VerbCommand(string name, string description, IReadOnlyList<string> examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;
}
