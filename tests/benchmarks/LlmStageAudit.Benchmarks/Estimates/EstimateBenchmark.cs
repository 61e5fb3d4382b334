using System.Globalization;
using System.Text.Json;
using LlmStageAudit.Benchmarks.Comments;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Benchmarks.Estimates;

/// <summary>What `estimate` foretells beside what the commands then take, each in a process of its own, right after one another.</summary>
internal static class EstimateBenchmark
{
    private const int Rounds = 3;
    private const double Band = 0.25;
    private const double Mebibyte = 1 << 20;

    public static void Run()
    {
        if (!File.Exists("/proc/self/status")) throw AbsenceException.Of("no /proc/self/status on this system");
        using var workspace = new CommentWorkspace();
        File.WriteAllText(workspace.At("long.jsonl"), LongRows());
        var outcomes = new List<Outcome>();
        // Round by round, and filed as it goes: what takes long may be broken off.
        for (var round = 1; round <= Rounds; round++)
        {
            foreach (var setting in EstimateSetting.All)
            {
                File.WriteAllText(workspace.At("run.yaml"), setting.Configuration(workspace.Comments));
                File.WriteAllText(workspace.At("probe.yaml"), setting.Probe(workspace.Comments));
                outcomes.AddRange(Compare(workspace, setting));
                Console.Error.WriteLine($"round {round}: {setting.Name}");
                Report(outcomes);
            }
        }
    }

    private static List<Outcome> Compare(CommentWorkspace workspace, EstimateSetting setting)
    {
        var (run, plan, probe) = (workspace.At("runs", "run"), workspace.At("plan", "all.json"), workspace.At("probe.yaml"));
        var found = new List<Outcome>();
        var foretold = MeasuredCommand.Run("estimate", workspace.At("run.yaml"), "--out", run).Output;
        Pair("train", "train", ["train", workspace.At("run.yaml"), "--out", run], run);
        Pair("evaluate", "evaluate probe", ["evaluate", run, "--probe", probe]);
        Pair("attribute, exact", "attribute probe, exact", ["attribute", run, "--probe", probe]);
        if (setting.Gradients)
            Pair(
                "attribute, sweep",
                "attribute probe, sweep over steps",
                ["attribute", run, "--probe", probe, "--method", "adjoint", "--level", "step"]);
        MeasuredCommand.Run(["plan", run, "--skip", .. setting.StageNames, "--out", plan]);
        Pair("retrain", "retrain without each stage", ["retrain", plan], workspace.At("plan", "all.runs"));
        foreach (var folder in new[] { workspace.At("runs"), workspace.At("plan") }) Directory.Delete(folder, recursive: true);
        return found;

        void Pair(string name, string phase, string[] command, string? folder = null)
        {
            var figures = phase == "train"
                ? foretold.GetProperty("train")
                : foretold.GetProperty("phases").EnumerateArray().Single(one => one.GetProperty("name").GetString() == phase);
            var real = MeasuredCommand.Run(command);
            var disk = folder is null
                ? 0
                : new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
            found.Add(new Outcome(
                setting.Name,
                name,
                (figures.GetProperty("seconds").GetDouble(), real.Seconds),
                (figures.GetProperty("peakMemoryBytes").GetDouble(), real.PeakBytes),
                (figures.GetProperty("diskBytes").GetDouble(), disk)));
        }
    }

    private static void Report(List<Outcome> outcomes)
    {
        var rows = outcomes.GroupBy(one => (one.Setting, one.Command)).ToArray();
        var times = rows.Select(row => row.Select(one => one.Seconds.Foretold / one.Seconds.True).Median()).ToArray();
        var memories = rows.Select(row => row.Select(one => one.Memory.Foretold / one.Memory.True).Median()).ToArray();
        var disks = outcomes.Where(one => one.Disk.True > 0).Select(one => Math.Abs((one.Disk.Foretold / one.Disk.True) - 1)).ToArray();
        var counts = rows.Select(row => row.Count()).ToArray();
        new ResultFile("estimate", "Estimates beside the truth")
            .Paragraph(
                "A GPT-NeoX of Pythia-14M's shape with random weights and the real Pythia tokenizer, on real tweets (up to 40 tokens) or "
                + "made-up rows of 20 to 500 tokens. The commands ran one after the other, right after an `estimate` of them with its "
                + "default of about 20 seconds of measuring, each in a process of its own. Figures are medians over rounds "
                + $"({counts.Min()} to {counts.Max()} of each row), ratios foretold / true of the rounds' own, least to most in brackets. "
                + "Memory is the peak of resident memory (VmHWM). The same command takes different times on a shared machine, short ones in "
                + "particular: the range of the truth is in brackets too, and no forecast can be closer than that.")
            .Paragraph(
                $"Within 25% of the truth: time in {Within(times)} of {times.Length} rows, memory in {Within(memories)} of "
                + $"{memories.Length}. Disk: at most {(100 * disks.Max()).Shown("F2")}% off in {disks.Length} run and plan folders.")
            .Table(
                [
                    "Run", "Command", "Time foretold, s", "true, s", "ratio", "Memory foretold, MiB", "true, MiB", "ratio",
                    "Disk foretold, B", "true, B",
                ],
                rows.Select(row => new[]
                {
                    row.Key.Setting,
                    row.Key.Command,
                    row.Select(one => one.Seconds.Foretold).Median().Shown("F1"),
                    row.Select(one => one.Seconds.True).ToArray().Spread("F1"),
                    row.Select(one => one.Seconds.Foretold / one.Seconds.True).ToArray().Spread("F2"),
                    (row.Select(one => one.Memory.Foretold).Median() / Mebibyte).Shown("F0"),
                    (row.Select(one => one.Memory.True).Median() / Mebibyte).Shown("F0"),
                    row.Select(one => one.Memory.Foretold / one.Memory.True).ToArray().Spread("F2"),
                    row.First().Disk.True == 0 ? "" : row.First().Disk.Foretold.Shown("N0"),
                    row.First().Disk.True == 0 ? "" : row.First().Disk.True.Shown("N0"),
                }))
            .Write($"libtorch {TorchEngine.Version}");
    }

    private static int Within(double[] ratios) => ratios.Count(ratio => Math.Abs(ratio - 1) <= Band);

    /// <summary>Rows of 20 to 500 tokens, log-normal about 150.</summary>
    private static string LongRows()
    {
        var random = StableRandom.For(1, "long");
        return string.Join('\n', Enumerable.Range(0, 300).Select(i =>
        {
            var length = (int)Math.Clamp(Math.Exp(5 + (0.6 * random.NextNormal())), 20, 500);
            var ids = Enumerable.Range(0, length).Select(_ => 2 + random.Next(50_000));
            return JsonSerializer.Serialize(new { id = string.Create(CultureInfo.InvariantCulture, $"l-{i}"), ids, label = i % 2 });
        }));
    }

    private sealed record Outcome(
        string Setting,
        string Command,
        (double Foretold, double True) Seconds,
        (double Foretold, double True) Memory,
        (double Foretold, double True) Disk);
}
