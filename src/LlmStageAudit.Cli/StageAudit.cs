using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Cli.Verbs;
using LlmStageAudit.Foundation.Errors;

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
            var (text, code) = exception switch
            {
                AuditException { Kind: ErrorKind.Stopped } => (exception.Message, ExitCode.Stopped),
                AuditException { Kind: var kind } =>
                    ($"error: {exception.Message.ReplaceLineEndings($"{Environment.NewLine}error: ")}", ExitCodes.Of(kind)),
                OperationCanceledException => ("cancelled", ExitCode.Cancelled),
                IOException or UnauthorizedAccessException => ($"error: {exception.Message}", ExitCode.Failed),
                _ => (Defect(exception, isDebugging: result.GetValue(CommonOptions.LogLevel) == LogLevel.Debug), ExitCode.Failed),
            };
            error.WriteLine(text);
            return (int)code;
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
        foreach (var fault in result.Errors) error.WriteLine($"error: {fault.Message}");
        var known = command.Subcommands.Select(verb => verb.Name)
            .Concat(command.Options.Concat(CommonOptions.Everywhere).Select(option => option.Name)).ToArray();
        foreach (var token in result.UnmatchedTokens)
        {
            if (Suggestion.Nearest(token, known) is { } nearest) error.WriteLine($"did you mean '{nearest}'?");
        }

        error.WriteLine($"see: {string.Join(' ', NamesOf(result.CommandResult))} --help");
        return (int)ExitCode.Usage;
    }

    /// <summary>Of an error that nobody foresaw. libtorch ends its messages with where in its own code they come from.</summary>
    private static string Defect(Exception exception, bool isDebugging)
    {
        var message = exception.Message.Split("\nException raised from ")[0].ReplaceLineEndings(" ");
        var where = isDebugging ? exception.StackTrace : "This is a defect of stageaudit; --log-level debug shows where.";
        return $"error: {exception.GetType().Name}: {message}{Environment.NewLine}{where}";
    }

    private static IEnumerable<string> NamesOf(CommandResult result) =>
        result.Parent is CommandResult parent ? NamesOf(parent).Append(result.Command.Name) : ["stageaudit"];
}
