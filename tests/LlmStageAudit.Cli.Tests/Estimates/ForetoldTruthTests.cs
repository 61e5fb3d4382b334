using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Estimates;

/// <summary>The built command foretells itself: time and memory of a small run, each in a process of its own.</summary>
public sealed class ForetoldTruthTests : IDisposable
{
    /// <summary>A busy machine spoils a pair now and then.</summary>
    private const int Tries = 3;

    private readonly TemporaryFolder _folder = new();

    [BuiltCommandFact]
    public void Time_is_right_within_a_factor_of_two_and_memory_within_a_quarter()
    {
        TinyWorkspace.Write(_folder.Path);
        _folder.Write("long.yaml", TinyWorkspace.Run(TinyWorkspace.AdamW)
            .Replace("path: base-run/stages/01-language/state", "weights: random, path: shape", StringComparison.Ordinal)
            .Replace("batchSize: 6", "batchSize: 6\nepochs: 40", StringComparison.Ordinal));
        var ratios = new List<string>();
        for (var i = 0; i < Tries; i++)
        {
            var foretold = Run("estimate", _folder.At("long.yaml"), "--measure-seconds", "2").Output.GetProperty("train");
            var (output, seconds, peakBytes) = Run("train", _folder.At("long.yaml"), "--out", _folder.At($"run-{i}"));
            Assert.Equal(480, output.Count("steps"));
            var (time, memory) = (foretold.Number("seconds") / seconds, foretold.Number("peakMemoryBytes") / peakBytes);
            if (time is > 0.5 and < 2 && memory is > 0.75 and < 1.25) return;
            ratios.Add(string.Create(CultureInfo.InvariantCulture, $"time {time:0.00}, memory {memory:0.00}"));
        }

        Assert.Fail($"foretold / true: {string.Join("; ", ratios)}");
    }

    public void Dispose() => _folder.Dispose();

    private static (JsonElement Output, double Seconds, double PeakBytes) Run(params string[] args)
    {
        var start = new ProcessStartInfo("dotnet", [BuiltCommand.Path, .. args, "--json", "--quiet"]) { RedirectStandardOutput = true };
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var peak = 0.0;
        while (!process.WaitForExit(5)) peak = Math.Max(peak, PeakOf(process.Id));
        var seconds = watch.Elapsed.TotalSeconds;
        Assert.True(process.ExitCode == 0, $"stageaudit {string.Join(' ', args)}: exit {process.ExitCode}");
        using var document = JsonDocument.Parse(output.Result);
        return (document.RootElement.Clone(), seconds, peak);
    }

    private static double PeakOf(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status")
                .FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : 1024 * double.Parse(line.AsSpan(6).Trim(" \tkB"), CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
