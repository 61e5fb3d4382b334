using System.Diagnostics;
using System.Text.Json;

namespace LlmStageAudit.Benchmarks.Loading;

/// <summary>Time and memory from a model folder on disk to the first logits, each time in a fresh process.</summary>
internal static class LoadBenchmark
{
    private const int Runs = 7;
    private const double Mebibyte = 1 << 20;

    public static void Run()
    {
        if (!File.Exists("/proc/self/status")) throw AbsenceException.Of("no /proc/self/status on this system");
        var root = Directory.CreateTempSubdirectory("stageaudit-benchmark-").FullName;
        try
        {
            var single = Path.Combine(root, "float32");
            var brain = Path.Combine(root, "bfloat16");
            PythiaShape.Write(single, elementBytes: 4);
            PythiaShape.Write(brain, elementBytes: 2);
            (string Name, string Folder, string Trains)[] cases =
            [
                ("float32, base frozen under LoRA", single, "lora"), ("bfloat16, base frozen under LoRA", brain, "lora"),
                ("float32, all weights train", single, "all"), ("bfloat16, all weights train", brain, "all"),
            ];
            var figures = cases.ToDictionary(one => one.Name, _ => new List<LoadFigures>());
            for (var run = 0; run < Runs; run++)
            {
                foreach (var (name, folder, trains) in cases) figures[name].Add(InFreshProcess(folder, trains));
            }

            Report(figures);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static void Report(Dictionary<string, List<LoadFigures>> figures)
    {
        var weightBytes = PythiaShape.Parameters * sizeof(float);
        new ResultFile("load", "Loading a model of 70 million parameters")
            .Paragraph(
                "A GPT-NeoX of Pythia-70M's shape (512 hidden, 6 layers, 8 heads, vocabulary 50,304; "
                + $"{((double)PythiaShape.Parameters).Shown("N0")} random weights, {(weightBytes / Mebibyte).Shown("F1")} MiB in float32), "
                + $"computed in float32 on the CPU with one thread. Each of {Runs} runs is a fresh process that finds the file in the "
                + "system's cache; median (least to most).")
            .Paragraph(
                "Engine: from the start of the process until libtorch had done a small product. Logits: from then, through loading, until "
                + "the logits of one text of 16 tokens were in managed memory. Memory: VmHWM at the end less VmHWM after the small "
                + "product (the baseline); resident pages of the mapped file count. The target is at most 1.2 times the weights.")
            .Table(
                ["Weights on disk", "Engine, s", "Logits, s", "Baseline, MiB", "Memory, MiB", "Times the weights"],
                figures.Select(pair => new[]
                {
                    pair.Key,
                    pair.Value.Select(one => one.EngineSeconds).ToList().Spread("F2"),
                    pair.Value.Select(one => one.LogitsSeconds).ToList().Spread("F2"),
                    pair.Value.Select(one => one.BaselineBytes / Mebibyte).ToList().Spread("F1"),
                    pair.Value.Select(one => (one.PeakBytes - one.BaselineBytes) / Mebibyte).ToList().Spread("F1"),
                    pair.Value.Select(one => (one.PeakBytes - one.BaselineBytes) / (double)weightBytes).ToList().Spread("F3"),
                }))
            .Write($"libtorch {figures.Values.First()[0].Torch}");
    }

    private static LoadFigures InFreshProcess(string folder, string trains)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        foreach (var argument in new[] { "load-once", folder, trains }) start.ArgumentList.Add(argument);
        using var child = Process.Start(start)!;
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        return child.ExitCode == 0
            ? JsonSerializer.Deserialize<LoadFigures>(output)!
            : throw new InvalidOperationException($"the child process ended with {child.ExitCode}");
    }
}
