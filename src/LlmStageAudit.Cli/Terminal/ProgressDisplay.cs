using System.Diagnostics;
using System.Globalization;
using LlmStageAudit.Auditing;
using Spectre.Console;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>Shows progress at once, on the reporting thread, so that lines keep their order.</summary>
internal sealed class ProgressDisplay(Action<WalkProgress> show) : IProgress<WalkProgress>
{
    private const int FiguresInterval = 100;
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(5);

    /// <summary>A bar that moves.</summary>
    public static ProgressDisplay Bar(string title, ProgressTask task) => new(at =>
    {
        task.MaxValue = at.Total;
        task.Value = at.Done;
        task.Description = Markup.Escape($"{title}  {Detail(at)}");
    });

    /// <summary>A line every few seconds, for logs.</summary>
    public static ProgressDisplay Lines(string title, TextWriter error)
    {
        var watch = Stopwatch.StartNew();
        var next = s_pause;
        return new(at =>
        {
            if (watch.Elapsed < next) return;
            next = watch.Elapsed + s_pause;
            var rate = at.Done / watch.Elapsed.TotalSeconds;
            var left = TimeSpan.FromSeconds((at.Total - at.Done) / Math.Max(rate, 1e-9));
            error.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{title}  {at.Done}/{at.Total}  {Detail(at)}  {rate:0.0}/s  eta {left:hh\\:mm\\:ss}"));
        });
    }

    /// <summary>At log level debug: what the process holds, every hundred steps, so that something which grows is seen to.</summary>
    public static ProgressDisplay Figures(string title, TextWriter error) => new(at =>
    {
        if (at.Done % FiguresInterval == 0 || at.Done == at.Total)
            error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{title}  {at.Done}/{at.Total}  {Detail(at)}  {Process()}"));
    });

    public void Report(WalkProgress value) => show(value);

    private static string Detail(WalkProgress at) =>
        at.Stage is null ? "" : $"{at.Stage}  loss {Numbers.Plain(at.LossNats)}  lr {Numbers.Plain(at.LearningRate)}";

    /// <summary>Sizes in KiB. What the managed heap holds is what survived the last collection.</summary>
    private static string Process() => string.Create(
        CultureInfo.InvariantCulture,
        $"resident={Status("VmRSS:")} peak={Status("VmHWM:")} anonymous={Status("RssAnon:")} heap={GC.GetTotalMemory(false) / 1024} "
        + $"survived={GC.GetGCMemoryInfo(GCKind.Any).HeapSizeBytes / 1024} tensors={Tensor.TotalCount} "
        + $"files={Entries("fd", own: 1)} threads={Entries("task", own: 0)}");

    private static string Status(string key)
    {
        const string file = "/proc/self/status";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal)) : null;
        return line is null ? "unknown" : line[key.Length..].Trim(' ', '\t', 'k', 'B');
    }

    // Listing the folder of open files opens one more.
    private static string Entries(string name, int own) => Directory.Exists($"/proc/self/{name}")
        ? string.Create(CultureInfo.InvariantCulture, $"{Directory.EnumerateFileSystemEntries($"/proc/self/{name}").Count() - own}")
        : "unknown";
}
