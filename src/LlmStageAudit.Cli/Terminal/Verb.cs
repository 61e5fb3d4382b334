using System.CommandLine;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>Makes a command of a verb: its description with examples, its symbols, and what it does.</summary>
internal static class Verb
{
    /// <summary>The command; what it runs gets the parsed values and the terminal, and returns the exit code.</summary>
    public static Command Of(string name, string description, string[] examples, Symbol[] symbols, Func<VerbContext, int> run)
    {
        var command = new VerbCommand(name, description, examples);
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Add(argument);
            else command.Add((Option)symbol);
        }

        if (symbols.Contains(CommonOptions.Device)) command.Add(CommonOptions.Threads);
        command.SetAction((result, cancellation) => Task.Run(
            () =>
            {
                using var confined = Confinement.To(result.GetValue(CommonOptions.Confine));
                return run(new VerbContext(result, cancellation));
            },
            CancellationToken.None));
        return command;
    }
}

/// <summary>A command with examples, which its own help shows and the list of all verbs does not.</summary>
internal sealed class VerbCommand(string name, string description, IReadOnlyList<string> examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;
}
