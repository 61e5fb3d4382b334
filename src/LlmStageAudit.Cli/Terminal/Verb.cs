using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>Makes commands of verbs: a description with examples, symbols, and what the verb does.</summary>
internal static class Verb
{
    /// <summary>The command of a verb that does what was asked for or throws.</summary>
    public static Command Of(string name, string description, string[] examples, Symbol[] symbols, Action<VerbContext> run) =>
        Of(name, description, examples, symbols, context =>
        {
            run(context);
            return ExitCode.Done;
        });

    /// <summary>The command; what it runs gets the parsed values and the terminal.</summary>
    public static Command Of(string name, string description, string[] examples, Symbol[] symbols, Func<VerbContext, ExitCode> run)
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
                return (int)run(new VerbContext(result, cancellation));
            },
            CancellationToken.None));
        return command;
    }

    /// <summary>An option that has a value where none is given.</summary>
    public static Option<T> Option<T>(string name, string description, T standard, params string[] aliases) =>
        new(name, aliases) { Description = description, DefaultValueFactory = _ => standard };
}

/// <summary>A command with examples, which its own help shows and the list of all verbs does not.</summary>
internal sealed class VerbCommand(string name, string description, IReadOnlyList<string> examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;
}

/// <summary>The usual help, and below that of a verb its examples.</summary>
internal sealed class HelpWithExamples(SynchronousCommandLineAction help) : SynchronousCommandLineAction
{
    /// <summary>Whoever asks for help need not give what a verb requires.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var exitCode = help.Invoke(parseResult);
        if (parseResult.CommandResult.Command is not VerbCommand verb) return exitCode;
        var output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (var example in verb.Examples) output.WriteLine($"  {example}");
        output.WriteLine();
        return exitCode;
    }

    public static void AddTo(RootCommand root)
    {
        var option = root.Options.OfType<HelpOption>().Single();
        option.Action = new HelpWithExamples((SynchronousCommandLineAction)option.Action!);
    }
}
