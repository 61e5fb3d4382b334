using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text.Json;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Cli.Verbs;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Cli;

/// <summary>The command `stageaudit`: parses, runs a verb, turns errors into one line and an exit code.</summary>
public static class StageAudit
{
    /// <summary>Time a verb gets to reach a checkpoint after a signal.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromSeconds(30);

    /// <summary>In the order of the help.</summary>
    private static readonly Func<Command>[] s_verbs =
    [
        DemoVerb.Build, EstimateVerb.Build, TrainVerb.Build, EvaluateVerb.Build, AttributeVerb.Build, RankVerb.Build, PlanVerb.Build,
        RetrainVerb.Build, StatusVerb.Build, VerifyVerb.Build, CompareVerb.Build, VerifyLogVerb.Build, SignVerb.Build, ReportVerb.Build,
        MergeVerb.Build, TokenizeVerb.Build, InspectVerb.Build, DoctorVerb.Build,
    ];

    /// <summary>Runs one command line to its end; a signal or the token stops a verb at its next checkpoint.</summary>
    /// <param name="args">As after the command's name.</param>
    /// <param name="output">Data only.</param>
    /// <param name="error">Logs, progress and errors.</param>
    /// <param name="cancellation">Stops as a signal does.</param>
    /// <returns>The exit code, see <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellation = default)
    {
        CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        Setting.Spelling = SettingFlags.All;
        var root = BuildRoot();
        // No response files: '@' may begin a value.
        var result = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.Errors.Count > 0) return Refuse(result, error);
        try
        {
            return await result.InvokeAsync(
                new InvocationConfiguration
                {
                    Output = output,
                    Error = error,
                    EnableDefaultExceptionHandler = false,
                    ProcessTerminationTimeout = s_grace
                },
                cancellation);
        }
        catch (Exception exception)
        {
            var (what, message, code) = exception switch
            {
                AuditException { Kind: var kind } => (EnumSpelling<ErrorKind>.Of(kind), exception.Message, ExitCodes.Of(kind)),
                OperationCanceledException => ("cancelled", "cancelled", ExitCode.Cancelled),
                IOException or UnauthorizedAccessException => (EnumSpelling<ErrorKind>.Of(ErrorKind.Failure), exception.Message, ExitCode.Failed),
                _ => ("defect", Defect(exception), ExitCode.Failed),
            };
            string[] hints = what != "defect" ? []
                : result.GetValue(CommonOptions.LogLevel) == LogLevel.Debug ? [$"{exception.StackTrace}"]
                : ["This is a defect of stageaudit; --log-level debug shows where."];
            return Tell(error, result.GetValue(CommonOptions.Json), what, message.ReplaceLineEndings("\n").Split('\n'), hints, code);
        }
    }

    internal static RootCommand BuildRoot()
    {
        var root = new RootCommand(
            "Which training stage did that? Trains fine-tuning stages with a trajectory log, answers what the model would be without each, "
            + "and verifies its answers by retraining.")
        { HelpName = "stageaudit" };
        foreach (var option in CommonOptions.Everywhere) root.Add(option);
        foreach (var build in s_verbs) root.Add(build());
        HelpWithExamples.AddTo(root);
        return root;
    }

    private static int Refuse(ParseResult result, TextWriter error)
    {
        var command = result.CommandResult.Command;
        var unknownVerb = command is RootCommand && result.UnmatchedTokens.Count > 0 ? result.UnmatchedTokens[0] : null;
        var known = command.Subcommands.Select(verb => verb.Name)
            .Concat(command.Options.Concat(CommonOptions.Everywhere).Select(option => option.Name)).ToArray();
        // What follows a verb that is none was meant for it, and says nothing of its own.
        IReadOnlyList<string> faults = unknownVerb is null
            ? [.. result.Errors.Select(fault => fault.Message)]
            : [$"no verb is called {Shown.Quoted(unknownVerb)}"];
        var suggestions = (unknownVerb is null ? result.UnmatchedTokens : [unknownVerb])
            .Select(token => Suggestion.Nearest(token, known)).OfType<string>().Select(nearest => $"did you mean '{nearest}'?");
        return Tell(
            error, result.GetValue(CommonOptions.Json), EnumSpelling<ErrorKind>.Of(ErrorKind.Request), faults,
            [.. suggestions, $"see: {string.Join(' ', NamesOf(result.CommandResult))} --help"], ExitCode.Usage);
    }

    /// <summary>An error as people read it, a line for each fault, or as one JSON object.</summary>
    /// <returns>The exit code.</returns>
    private static int Tell(TextWriter error, bool json, string what, IReadOnlyList<string> faults, string[] hints, ExitCode code)
    {
        if (json)
        {
            error.WriteLine(JsonSerializer.Serialize(
                new { Code = what, Message = faults[0], Details = faults.Skip(1).Concat(hints) }, ArtifactJson.CompactOptions));
            return (int)code;
        }

        var isError = code is not (ExitCode.Stopped or ExitCode.Cancelled);
        foreach (var fault in faults) error.WriteLine(isError ? $"error: {fault}" : fault);
        foreach (var hint in hints) error.WriteLine(hint);
        return (int)code;
    }

    /// <summary>Of an error that nobody foresaw. libtorch ends its messages with where in its own code they come from.</summary>
    private static string Defect(Exception exception) =>
        $"{exception.GetType().Name}: {exception.Message.Split("\nException raised from ")[0].ReplaceLineEndings(" ")}";

    private static IEnumerable<string> NamesOf(CommandResult result) =>
        result.Parent is CommandResult parent ? NamesOf(parent).Append(result.Command.Name) : ["stageaudit"];
}
