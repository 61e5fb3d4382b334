using System.Diagnostics;

namespace LlmStageAudit.EndToEnd.Tests.Crashes;

/// <summary>
/// Two commands that would write the same files: the second is told who the first is; the lock of a killed one holds nobody up.
/// </summary>
[Collection(OperationsCollection.Name)]
public sealed class SecondWriterTests(Operations operations)
{
    private CrashWorkspace Workspace => operations.Workspace;

    private string Run => Path.Combine(Workspace.Out, "run");

    [FaultFact]
    public void A_run_in_training_is_neither_trained_nor_resumed_by_a_second_command()
    {
        // Enough steps that the second comes while the first trains.
        var configuration = Workspace.At("long.yaml");
        File.WriteAllText(
            configuration,
            File.ReadAllText(Workspace.At("sgd.yaml")).Replace("epochs: 2", "epochs: 20000", StringComparison.Ordinal));
        string[] args = ["train", configuration, "--out", Run, "--threads", "1"];
        Workspace.Reset();
        using var first = BuiltCommand.Start(args);
        Await(first, Path.Combine(Run, "stages", "01-first", "trajectory.log"));

        foreach (var second in new[] { args, [.. args, "--resume"] })
        {
            var refused = BuiltCommand.Run(second);
            Assert.True(refused.ExitCode == 3, refused.ToString());
            Assert.Contains($"in use by process {first.Id} on {Environment.MachineName}", refused.Error, StringComparison.Ordinal);
        }

        first.Kill();
        BuiltCommand.End(first);
        using var third = BuiltCommand.Start([.. args, "--resume"]);
        AwaitHolder(third, Path.Combine(Run, "run.holder"));
        third.Kill();
        BuiltCommand.End(third);
    }

    [FaultFact]
    public void Of_two_that_begin_the_same_new_run_together_one_trains_it()
    {
        var train = operations.Train("sgd");
        Workspace.Reset();
        var both = new[] { BuiltCommand.Start(train.Args), BuiltCommand.Start(train.Args) };
        var ended = both.Select(process => BuiltCommand.End(process)).ToArray();
        foreach (var process in both) process.Dispose();
        Assert.Equal([0, 3], ended.Select(end => end.ExitCode).Order());
        Assert.Matches(
            "in use by process [0-9]+ on |in use by another process|a run is there already",
            ended.Single(end => end.ExitCode == 3).Error);
        Assert.Empty(ArtifactTree.Differences(train.Tree, ArtifactTree.Of(Workspace.Out)));
    }

    [FaultFact]
    public void A_plan_being_retrained_is_not_retrained_by_a_second_command()
    {
        var retrain = operations.Retrain("sgd");
        Workspace.Reset(retrain.Start);
        using var first = BuiltCommand.Start(retrain.Args);
        var holder = Path.Combine(Run, "plan.runs", "retrain.holder");
        Await(first, holder);
        // Stopped in its tracks, so that it holds its lock as long as is needed.
        Signal(first, "STOP");
        var refused = BuiltCommand.Run(retrain.Args);
        Signal(first, "CONT");
        Assert.True(refused.ExitCode == 3, refused.ToString());
        Assert.Contains($"being retrained by process {first.Id} on {Environment.MachineName}", refused.Error, StringComparison.Ordinal);
        var ended = BuiltCommand.End(first);
        Assert.True(ended.ExitCode == 0, ended.ToString());
        Assert.Empty(ArtifactTree.Differences(retrain.Tree, ArtifactTree.Of(Workspace.Out)));
    }

    private static void Await(Process process, string path)
    {
        var watch = Stopwatch.StartNew();
        while (!File.Exists(path) && !process.HasExited && watch.Elapsed < TimeSpan.FromMinutes(1)) Thread.Sleep(1);
        Assert.True(File.Exists(path), $"no {path}");
        Assert.False(process.HasExited);
    }

    // The file of the one that was killed is there already.
    private static void AwaitHolder(Process process, string path)
    {
        var watch = Stopwatch.StartNew();
        var said = $"process {process.Id} on {Environment.MachineName}\n";
        while (File.ReadAllText(path) != said && !process.HasExited && watch.Elapsed < TimeSpan.FromMinutes(1)) Thread.Sleep(5);
        Assert.Equal(said, File.ReadAllText(path));
    }

    private static void Signal(Process process, string name)
    {
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -{name} {process.Id}"]);
        kill.WaitForExit();
    }
}
