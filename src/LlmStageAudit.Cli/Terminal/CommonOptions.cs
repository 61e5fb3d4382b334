using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>How much is said on standard error.</summary>
internal enum LogLevel
{
    Debug,
    Info,
    Warning,
    Error,
}

/// <summary>Options that mean the same on every verb.</summary>
internal static class CommonOptions
{
    /// <summary>More than any machine has; the engine would start them all.</summary>
    private const int MaximumThreads = 1024;

    public static Option<bool> Json { get; } = new("--json") { Description = "Print one JSON object instead of tables", Recursive = true };

    public static Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "No progress, no notes", Recursive = true };

    public static Option<bool> NoColor { get; } = new("--no-color") { Description = "No colours (also: NO_COLOR)", Recursive = true };

    public static Option<LogLevel> LogLevel { get; } = new("--log-level")
    {
        Description = "debug, info, warning or error",
        DefaultValueFactory = _ => Terminal.LogLevel.Info,
        Recursive = true,
    };

    /// <summary>For files that come from somebody else.</summary>
    public static Option<string?> Confine { get; } = new("--confine")
    {
        Description = "Refuse files that lead to paths outside this folder (also: STAGEAUDIT_CONFINE)",
        HelpName = "folder",
        DefaultValueFactory = _ => Environment.GetEnvironmentVariable("STAGEAUDIT_CONFINE") is { Length: > 0 } folder ? folder : null,
        Recursive = true,
    };

    /// <summary>Where a verb computes. A text, so that reading a command line loads no engine.</summary>
    public static Option<string> Device { get; } = new("--device")
    {
        Description = "Where to compute: cpu, cuda or cuda:N",
        HelpName = "device",
        DefaultValueFactory = _ => "cpu",
        Validators = { result => RequireDevice(result, result.Tokens.Count > 0 ? result.Tokens[0].Value : "cpu") },
    };

    /// <summary>For verbs that train.</summary>
    public static Option<bool> ForceStart { get; } = new("--force-start")
    {
        Description = "Start even where free disk or memory cannot hold the run (refused otherwise)",
    };

    public static Option<int?> Threads { get; } = new("--threads")
    {
        Description = "Threads to compute with (results depend on it in the last bits)",
        Validators =
        {
            result =>
            {
                var isNumber = int.TryParse(result.Tokens[0].Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var threads);
                if (isNumber && threads is < 1 or > MaximumThreads)
                    result.AddError($"--threads: {threads}; expected 1 to {MaximumThreads}");
            },
        },
    };

    private static void RequireDevice(OptionResult result, string device)
    {
        if (device == "cpu") return;
        try
        {
            if (!Devices.Here.Contains(Devices.Parse(device).ToString()))
                result.AddError($"--device {device}: {cuda.device_count()} CUDA devices found");
        }
        catch (ArgumentException exception)
        {
            result.AddError($"--device: {exception.Message}");
        }
        catch (EngineException)
        {
            // Not the command line's fault: the verb says it where it needs the engine.
        }
    }

    public static IEnumerable<Option> Everywhere => [Json, Quiet, NoColor, LogLevel, Confine];
}
