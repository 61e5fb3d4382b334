using System.Diagnostics;
using LlmStageAudit.Benchmarks.Commands;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Benchmarks.LongRuns;

/// <summary>What commands and openings of a log of 100,000 steps take, beside another build where one is named.</summary>
internal static class LongLogs
{
    private const string Before = "STAGEAUDIT_BEFORE";
    private const int Repeats = 3;

    public static void Run()
    {
        var results = new ResultFile("logs", "Logs of 100,000 steps").Paragraph(
            "Trained by the command: a model of 8 dimensions and one layer, its second stage 100,000 steps; batches of 2 rows, and of 50, "
            + "whose ids make the headers the larger part. Own seconds: less what `--version` takes, the start of the process and its "
            + $"runtime. Median of {Repeats} for the short commands, one run of the long ones; the machine's cache warm.");
        var before = Environment.GetEnvironmentVariable(Before);
        var builds = before is null ? [("", Repository.Command)] : new[] { (", before", before), (", now", Repository.Command) };
        var rows = new List<string[]>();
        var openings = new List<string[]>();
        using var light = Trained(batchSize: 2, epochs: [1, 100, 1]);
        using var heavy = Trained(batchSize: 50, epochs: [3, 2500, 3]);
        foreach (var (name, workspace) in new[] { ("2 ids", light), ("50 ids", heavy) })
        {
            var run = workspace.At("run");
            var log = RunFolder.Open(run).TrajectoryPath(1, "second");
            foreach (var (label, repeats, args) in Commands(workspace, run, log))
            {
                // A build that does not know the question answers with a usage error.
                var figures = builds.Select(build => Timed(build.Item2, repeats, args)).ToArray();
                rows.Add([$"{label}, {name}", .. figures.SelectMany(figure => figure)]);
            }

            openings.Add(Opening(name, run, log));
        }

        results.Table(["Command", .. builds.SelectMany(build => new[] { $"Own seconds{build.Item1}", $"Peak, MiB{build.Item1}" })], rows);
        if (before is not null)
            results.Paragraph("Before: the build that the variable named, from ahead of these changes. A dash: it could not answer.");
        results
            .Paragraph(
                "Opening the 100,000 records in a process that already runs: what it takes, and what the managed heap keeps while the log "
                + "is open.")
            .Table(["Log", "Size, MiB", "Summary, s", "To read, s", "Kept, MiB", "To append, every hash, s"], openings)
            .Write($"libtorch {BuiltCommand.Succeed("doctor", "--json").Json.GetProperty("libTorchVersion").GetString()} on the CPU");
    }

    private static AuditWorkspace Trained(int batchSize, int[] epochs)
    {
        var workspace = new AuditWorkspace(hidden: 8, layers: 1, rows: 2000, shortest: 2, longest: 2);
        var configuration = workspace.Configure(
            "long", "{ name: sgd, learningRate: 1e-3, momentum: 0.5 }", batchSize, epochs, adapter: "r: 1, alpha: 1");
        BuiltCommand.Succeed("train", configuration, "--out", workspace.At("run"), "--threads", "1");
        BuiltCommand.Succeed("plan", workspace.At("run"), "--skip", "first", "--out", workspace.At("plan.json"));
        return workspace;
    }

    private static (string Label, int Repeats, string[] Args)[] Commands(AuditWorkspace workspace, string run, string log) =>
    [
        ("status PLAN", Repeats, ["status", workspace.At("plan.json")]),
        ("inspect RUN", Repeats, ["inspect", run]),
        ("inspect trajectory.log", Repeats, ["inspect", log]),
        ("verify-log", 1, ["verify-log", run]),
        ("report", 1, ["report", run, "-o", workspace.At("report.html")]),
        (
            "attribute --gradient recorded",
            1,
            ["attribute", run, "--probe", workspace.At("probe.yaml"), "--gradient", "recorded", "--threads", "1"]),
    ];

    private static string[] Timed(string program, int repeats, string[] args)
    {
        var outcomes = Enumerable.Range(0, repeats).Select(_ => BuiltCommand.Run(program, [], args)).ToArray();
        if (outcomes.Any(outcome => outcome.ExitCode != 0)) return ["-", "-"];
        var start = Enumerable.Range(0, Repeats).Select(_ => BuiltCommand.Run(program, [], ["--version"]).Seconds).Median();
        return
        [
            (outcomes.Select(outcome => outcome.Seconds).Median() - start).Shown("F2"),
            (outcomes.Max(outcome => outcome.PeakBytes) / (double)(1 << 20)).Shown("F0"),
        ];
    }

    private static string[] Opening(string name, string run, string log)
    {
        var genesis = TrajectoryGenesis.Of(RunFolder.Open(run).ReadManifest().RunId, "second");
        var summary = Median(() => LogSummary.Read(log));
        var append = Median(() => TrajectoryWriter.OpenForAppend(log, genesis).Dispose());
        var read = Median(() => TrajectoryReader.Open(log, genesis).Dispose());
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var reader = TrajectoryReader.Open(log, genesis);
        var kept = GC.GetTotalMemory(forceFullCollection: true) - before;
        if (reader.Count != 100_000) throw new InvalidOperationException($"{reader.Count} records");
        return
        [
            name,
            (reader.SizeBytes / (double)(1 << 20)).Shown("F1"),
            summary.Shown("F3"),
            read.Shown("F2"),
            (kept / (double)(1 << 20)).Shown("F1"),
            append.Shown("F2"),
        ];
    }

    private static double Median(Action work) => Enumerable.Range(0, Repeats).Select(_ =>
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }).Median();
}
