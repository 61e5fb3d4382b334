using System.Diagnostics;
using System.Text.Json;
using LlmStageAudit.Benchmarks.Commands;

namespace LlmStageAudit.Benchmarks.Estimates;

/// <summary>The command, run in a process of its own.</summary>
/// <param name="Seconds">From its start to its end.</param>
/// <param name="PeakBytes">The most that was resident.</param>
/// <param name="Output">The JSON object it printed.</param>
internal sealed record MeasuredCommand(double Seconds, long PeakBytes, JsonElement Output)
{
    private const int PollMilliseconds = 5;

    public static MeasuredCommand Run(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [Repository.Command, .. args, "--json", "--quiet"]) { RedirectStandardOutput = true };
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var peak = 0L;
        while (!process.WaitForExit(PollMilliseconds)) peak = Math.Max(peak, BuiltCommand.PeakBytes(process.Id));
        var seconds = watch.Elapsed.TotalSeconds;
        if (process.ExitCode != 0) throw new InvalidOperationException($"stageaudit {string.Join(' ', args)}: exit {process.ExitCode}");
        using var document = JsonDocument.Parse(output.Result);
        return new MeasuredCommand(seconds, peak, document.RootElement.Clone());
    }
}
