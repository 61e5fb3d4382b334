using System.Diagnostics;
using LlmStageAudit.Testing;

namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>How a process ended and what it said.</summary>
internal sealed record Ended(int ExitCode, string Output, string Error, TimeSpan Elapsed)
{
    public const int Killed = 137;

    public override string ToString() => $"exit {ExitCode}: {Error}";
}

/// <summary>The built command, as a process of its own that can be killed.</summary>
internal static class BuiltCommand
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(3);

    public static string Path { get; } =
        System.IO.Path.Combine(SharedData.RepositoryRoot, "artifacts", "bin", "LlmStageAudit.Cli", "release", "stageaudit.dll");

    public static Process Start(string[] args, IReadOnlyDictionary<string, string>? settings = null)
    {
        var start = new ProcessStartInfo("dotnet", [Path, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in settings ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    public static Ended Run(string[] args, IReadOnlyDictionary<string, string>? settings = null, TimeSpan? killAfter = null)
    {
        var watch = Stopwatch.StartNew();
        using var process = Start(args, settings);
        return End(process, watch, killAfter);
    }

    /// <summary>Waits for the end; kills (SIGKILL) after a time where one is given.</summary>
    public static Ended End(Process process, Stopwatch? watch = null, TimeSpan? killAfter = null)
    {
        watch ??= Stopwatch.StartNew();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(killAfter ?? s_patience))
        {
            process.Kill();
            process.WaitForExit();
            Assert.True(killAfter is not null, "the command hangs");
        }

        process.WaitForExit();
        return new Ended(process.ExitCode, output.Result, error.Result, watch.Elapsed);
    }
}
