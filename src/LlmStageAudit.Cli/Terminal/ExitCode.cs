using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>What the process tells the script that called it.</summary>
public enum ExitCode
{
    /// <summary>What was asked for was done.</summary>
    Done = 0,

    /// <summary>The machine or the program failed: a disk, a process, or an error nobody foresaw.</summary>
    Failed = 1,

    /// <summary>The command line or a configuration file is wrong.</summary>
    Usage = 2,

    /// <summary>A model, adapter, tokenizer, data set, run or plan is wrong.</summary>
    InvalidInput = 3,

    /// <summary>A check found something: a finding, not a crash.</summary>
    GateFailed = 4,

    /// <summary>Stopped on a signal at a valid checkpoint; run again to go on.</summary>
    Stopped = 75,

    /// <summary>Broken off on a signal, with nothing to go on from: 128 + SIGINT.</summary>
    Cancelled = 130,
}

/// <summary>The one table from errors to exit codes.</summary>
internal static class ExitCodes
{
    public static ExitCode Of(ErrorKind kind) => kind switch
    {
        ErrorKind.Failure => ExitCode.Failed,
        ErrorKind.Request => ExitCode.Usage,
        ErrorKind.Input => ExitCode.InvalidInput,
        ErrorKind.Finding => ExitCode.GateFailed,
        ErrorKind.Stopped => ExitCode.Stopped,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}
