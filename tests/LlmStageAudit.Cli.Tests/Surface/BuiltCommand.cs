using System.Diagnostics;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Surface;

/// <summary>The built command as a process of its own.</summary>
internal static class BuiltCommand
{
    public static string Path { get; } =
        System.IO.Path.Combine(SharedData.RepositoryRoot, "artifacts", "bin", "LlmStageAudit.Cli", "release", "stageaudit.dll");

    public static CommandOutcome Succeed(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [Path, .. args]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.WaitForExit();
        var outcome = new CommandOutcome(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
        Assert.True(outcome.ExitCode == 0, $"stageaudit {string.Join(' ', args)}: exit {outcome.ExitCode}\n{outcome.Error}");
        return outcome;
    }
}
