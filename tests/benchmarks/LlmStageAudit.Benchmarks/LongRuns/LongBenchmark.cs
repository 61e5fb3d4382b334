using System.Globalization;
using LlmStageAudit.Benchmarks.Commands;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Benchmarks.LongRuns;

/// <summary>What does not grow over 5,000 steps.</summary>
internal static class LongBenchmark
{
    private const int Steps = 5000;
    private const int WarmUp = 500;
    private const int FirstStage = 1700;
    private const double GrowthBound = 0.01;

    public static void Run()
    {
        if (!File.Exists("/proc/self/status")) throw AbsenceException.Of("no /proc/self/status on this system");
        var results = new ResultFile("long", "5,000 steps in one process")
            .Paragraph(
                "A small GPT-NeoX (2 layers, 16 dimensions) with random weights, LoRA and a head, one stage of 5,000 steps or three of "
                + "1,700, 1,650 and 1,650, of 8 rows of 4 to 32 generated tokens, one thread. The command runs in a process of its own at "
                + $"log level debug, which says every 100 steps what it holds. Growth is from step {WarmUp} to the last, in which is what "
                + "is needed once: code compiled in the first seconds and at the first end of a stage, and a replay's first gradients "
                + "(none is computed in the first stage, which no counterfactual passes). Growth with the steps is from step "
                + $"{FirstStage + WarmUp}, {WarmUp} into the second stage; its bound is {GrowthBound:P0}, as is that of the whole growth "
                + "where there is one stage only. Survived: the managed heap after the last collection.");
        var rows = new List<string[]>();
        using var workspace = new AuditWorkspace(hidden: 16, layers: 2, rows: 400, shortest: 4, longest: 32);
        foreach (var (name, optimizer) in new[] { ("sgd", AuditWorkspace.Sgd), ("adamw", AuditWorkspace.AdamW) })
        {
            var single = workspace.Configure($"{name}-single", optimizer, batchSize: 8, epochs: [100]);
            rows.Add(Row($"train in one stage, {name}", Debug("train", single, "--out", workspace.At($"{name}-single-run"))));
            var configuration = workspace.Configure(name, optimizer, batchSize: 8, epochs: [34, 33, 33]);
            var run = workspace.At(name + "-run");
            rows.Add(Row($"train in three stages, {name}", Debug("train", configuration, "--out", run)));
            // The walks over a log are the same for both; AdamW's states are the larger.
            if (name == "sgd") continue;
            rows.Add(Row($"attribute, exact replay, {name}", Debug("attribute", run, "--probe", workspace.At("probe.yaml"))));
            rows.Add(Row(
                $"attribute, adjoint sweep of every step, {name}",
                Debug("attribute", run, "--probe", workspace.At("probe.yaml"), "--method", "adjoint", "--level", "step")));
            var (stoppedAt, resumed) = Resume(workspace, configuration, run);
            rows.Add(Row($"train --resume from step {stoppedAt:N0}, {name}", resumed));
            var checkedLog = BuiltCommand.Succeed("verify-log", run, "--json");
            rows.Add(
            [
                $"verify-log, {name}",
                $"{checkedLog.Json.GetProperty("records").GetInt32():N0}",
                "-",
                "-",
                "-",
                "-",
                Mebibytes(checkedLog.PeakBytes),
                "-",
                "-",
                "-",
                "-",
                Seconds(checkedLog.Seconds),
            ]);
        }

        results.Table(
            [
                "Command", "Steps", $"Resident at {WarmUp}, MiB", "At the end, MiB", "Growth", "With the steps", "Peak, MiB",
                "Survived, MiB", "Tensors", "Files", "Threads", "Seconds",
            ],
            rows);
        results.Paragraph(
            "Tensors: native tensors alive, least to most over the samples from the warm-up on; an adjoint sweep holds about the square "
            + "root of a stage's steps in states, twice, which is its range. Files and threads likewise. Resuming gave the bytes of the "
            + "uninterrupted run: states and logs.");
        results.Write(
            BuiltCommand.Succeed("doctor", "--json").Json.GetProperty("libTorchVersion").GetString() is { } version
                ? $"libtorch {version} on the CPU"
                : "libtorch");
    }

    /// <summary>Stops a run near its end, goes on, and compares with the uninterrupted one.</summary>
    private static (int StoppedAt, CommandOutcome Resumed) Resume(AuditWorkspace workspace, string configuration, string whole)
    {
        var run = workspace.At(Path.GetFileName(whole) + "-stopped");
        string[] command = ["train", configuration, "--out", run, "--threads", "1", "--log-level", "debug"];
        var stopped = BuiltCommand.Run(Repository.Command, [], command, stopAt: $"  {Steps - 100}/{Steps}  ");
        if (stopped.ExitCode != 75) throw new InvalidOperationException($"exit {stopped.ExitCode} of a stopped run: {stopped.Error}");
        var stoppedAt = LogSummary.Read(RunFolder.Open(run).TrajectoryPath(2, "third")).Last!.Step;
        var resumed = BuiltCommand.Succeed([.. command, "--resume"]);
        var differing = RunFiles.Differing(whole, run);
        if (differing.Length > 0) throw new InvalidOperationException($"resuming gave other bytes: {string.Join(", ", differing)}");
        return (stoppedAt, resumed);
    }

    private static CommandOutcome Debug(params string[] args) => BuiltCommand.Succeed([.. args, "--threads", "1", "--log-level", "debug"]);

    private static string[] Row(string name, CommandOutcome outcome)
    {
        var samples = ProcessSample.Of(outcome.Error);
        var warm = samples.Where(sample => sample.Step >= WarmUp).ToArray();
        // A resumed run has no figures from after its warm-up.
        var resumed = samples[0].Step > WarmUp;
        var (first, last) = (warm[0], warm[^1]);
        var growth = ((double)last.Resident / first.Resident) - 1;
        var withSteps = resumed ? 0 : ((double)last.Resident / warm.First(sample => sample.Step >= FirstStage + WarmUp).Resident) - 1;
        return
        [
            name,
            $"{last.Steps:N0}",
            resumed ? "-" : Mebibytes(1024 * first.Resident),
            Mebibytes(1024 * last.Resident),
            resumed ? "-" : growth.Shown("P2"),
            resumed ? "-" : withSteps.Shown("P2") + (withSteps > GrowthBound ? " (above the bound)" : ""),
            Mebibytes(1024 * last.Peak),
            Mebibytes(1024 * last.Heap),
            Range(warm.Select(sample => sample.Tensors)),
            Range(warm.Select(sample => (long)sample.Files)),
            Range(warm.Select(sample => (long)sample.Threads)),
            Seconds(outcome.Seconds),
        ];
    }

    private static string Range(IEnumerable<long> values)
    {
        var all = values.ToArray();
        return all.Min() == all.Max() ? $"{all[0]}" : $"{all.Min()} to {all.Max()}";
    }

    private static string Mebibytes(long bytes) => (bytes / (double)(1 << 20)).ToString("F1", CultureInfo.InvariantCulture);

    private static string Seconds(double seconds) => seconds.ToString("F1", CultureInfo.InvariantCulture);
}
