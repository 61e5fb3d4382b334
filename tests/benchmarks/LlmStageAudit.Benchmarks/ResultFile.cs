using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Benchmarks;

/// <summary>A benchmark's figures as Markdown, with the machine, versions, command and date they come from.</summary>
internal sealed class ResultFile(string name, string title)
{
    private static readonly string LoadAtStart = ReadLoad();
    private readonly StringBuilder _text = new();

    /// <summary>Looks at the machine before the benchmark itself loads it.</summary>
    public static void Prepare() => _ = LoadAtStart;

    public ResultFile Section(string heading) => Paragraph($"## {heading}");

    public ResultFile Paragraph(string text)
    {
        _text.Append('\n').Append(text).Append('\n');
        return this;
    }

    public ResultFile Table(string[] heads, IEnumerable<string[]> rows)
    {
        _text.Append('\n').Append(Row(heads)).Append(Row(heads.Select(static (_, column) => column == 0 ? "---" : "---:")));
        foreach (var row in rows) _text.Append(Row(row));
        return this;
    }

    /// <summary>Writes the file and shows it.</summary>
    /// <param name="versions">What took part besides .NET.</param>
    public void Write(string versions)
    {
        var date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var memoryGiB = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30);
        var cores = Environment.ProcessorCount;
        var system = $"{RuntimeInformation.OSDescription} {RuntimeInformation.ProcessArchitecture}";
        var head = string.Create(
            CultureInfo.InvariantCulture,
            $"""
             # {title}

             - Machine: {cores} cores, {memoryGiB:F0} GiB memory, {system}{LoadAtStart}
             - Versions: .NET {Environment.Version}, {versions}
             - Command: `scripts/bench.sh {string.Join(' ', Environment.GetCommandLineArgs()[1..])}`
             - Date: {date}

             """);
        Directory.CreateDirectory(Repository.Results);
        var text = head.ReplaceLineEndings("\n") + _text;
        AtomicFile.WriteText(Path.Combine(Repository.Results, name + ".md"), text);
        Console.Write(text);
    }

    /// <summary>How busy the machine was with other work, where the system says so.</summary>
    private static string ReadLoad() =>
        File.Exists("/proc/loadavg") ? $"; load average {File.ReadAllText("/proc/loadavg").Split(' ')[0]} in the minute before" : "";

    private static string Row(IEnumerable<string> cells) => $"| {string.Join(" | ", cells)} |\n";
}
