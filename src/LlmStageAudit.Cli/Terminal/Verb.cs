using System.CommandLine;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>Makes a command of a verb: its description with examples, its symbols, and what it does.</summary>
internal static class Verb
{
    /// <param name="run">Gets the parsed values and the terminal; returns the exit code.</param>
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
