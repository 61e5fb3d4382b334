using System.Globalization;
using LlmStageAudit.Auditing;

namespace LlmStageAudit.Cli.Terminal;

/// <summary>At log level debug: what the process holds, every hundred steps, so that something which grows is seen to.</summary>
internal sealed class ProcessFigures(string title, TextWriter error) : IProgress<WalkProgress>
{
    private const int Interval = 100;

    public void Report(WalkProgress value)
    {
        if (value.Done % Interval != 0 && value.Done != value.Total) return;
        error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{title}  {value.Done}/{value.Total}  {value.Detail()}  {Now()}"));
    }

    /// <summary>Sizes in KiB. What the managed heap holds is what survived the last collection.</summary>
    private static string Now() => string.Create(
        CultureInfo.InvariantCulture,
        $"resident={Status("VmRSS:")} peak={Status("VmHWM:")} anonymous={Status("RssAnon:")} heap={GC.GetTotalMemory(false) / 1024} "
        + $"survived={GC.GetGCMemoryInfo(GCKind.Any).HeapSizeBytes / 1024} tensors={Tensor.TotalCount} "
        + $"files={Entries("fd")} threads={Entries("task")}");

    private static string Status(string key)
    {
        const string file = "/proc/self/status";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal)) : null;
        return line is null ? "unknown" : line[key.Length..].Trim(' ', '\t', 'k', 'B');
    }

    // Listing the folder opens it.
    private static string Entries(string name)
    {
        var folder = $"/proc/self/{name}";
        if (!Directory.Exists(folder)) return "unknown";
        var count = Directory.EnumerateFileSystemEntries(folder).Count() - (name == "fd" ? 1 : 0);
        return count.ToString(CultureInfo.InvariantCulture);
    }
}
