using System.Diagnostics;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Signals;

/// <summary>The built command as a process of its own, which can be sent a signal.</summary>
public sealed class StoppedRunTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();

    public StoppedRunTests()
    {
        TinyWorkspace.Write(_folder.Path);
        // Enough steps that a signal meets the run on its way.
        _folder.Write("long.yaml", TinyWorkspace.Run(TinyWorkspace.AdamW)
            .Replace("path: base-run/stages/01-language/state", "weights: random, path: shape", StringComparison.Ordinal)
            .Replace("batchSize: 6", "batchSize: 6\nepochs: 20", StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    [BuiltCommandFact]
    public void A_signal_stops_at_a_checkpoint_and_resuming_gives_the_same_bits()
    {
        var (run, whole) = (_folder.At("stopped"), _folder.At("whole"));
        string[] command = ["train", _folder.At("long.yaml"), "--out", run];
        using var process = Start(command);
        var log = Path.Combine(run, "stages", "02-second", "trajectory.log");
        var watch = Stopwatch.StartNew();
        while (!(File.Exists(log) && new FileInfo(log).Length > 0) && !process.HasExited && watch.Elapsed < s_patience) Thread.Sleep(5);
        Terminate(process);
        var error = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(s_patience), "the process goes on after SIGTERM");
        Assert.True(process.ExitCode == 75, $"exit {process.ExitCode}: {error}");
        Assert.Contains("stopped on a signal after step", error);
        Assert.Contains("--resume", error);
        Assert.Empty(process.StandardOutput.ReadToEnd());
        Assert.Equal("stopped", CommandLine.Json("inspect", run).Text("state"));
        Assert.Empty(Directory.EnumerateFileSystemEntries(run, "*.partial", SearchOption.AllDirectories));

        var unfinished = CommandLine.Run("evaluate", run, "--probe", _folder.At("identity.yaml"));
        Assert.Equal(3, unfinished.ExitCode);
        Assert.Contains("the run is stopped; expected a completed run; finish it with train --resume",
            Assert.Single(unfinished.ErrorLines));

        CommandLine.Json([.. command, "--resume"]);
        CommandLine.Json("train", _folder.At("long.yaml"), "--out", whole);
        var (resumed, uninterrupted) = (Stages(run), Stages(whole));
        Assert.Equal(3, resumed.Length);
        Assert.Equal(uninterrupted, resumed);
    }

    private static (string Name, int Steps, string Hash)[] Stages(string run) =>
        [.. JsonReading.ReadFile(Path.Combine(run, "manifest.json")).List("stages")
            .Select(stage => (stage.Text("name"), stage.Count("steps"), stage.Text("stateSha256")))];

    private static Process Start(string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [BuiltCommand.Path, .. args])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        return Process.Start(start)!;
    }

    private static void Terminate(Process process)
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -TERM {process.Id}"]);
        kill.WaitForExit();
    }
}
