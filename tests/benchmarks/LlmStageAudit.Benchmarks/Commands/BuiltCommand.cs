using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace LlmStageAudit.Benchmarks.Commands;

/// <summary>The built command, run as a process of its own.</summary>
internal static class BuiltCommand
{
    private const int SigTerm = 15;

    /// <exception cref="InvalidOperationException">It does not succeed.</exception>
    public static CommandOutcome Succeed(params string[] args) => Run(Repository.Command, [], args).OrThrow(args);

    /// <param name="program">The dll of a build.</param>
    public static CommandOutcome Run(string program, (string Name, string Value)[] environment, string[] args, string? stopAt = null) =>
        Run(["dotnet", program], environment, args, stopAt);

    /// <param name="environment">Variables beside this process's.</param>
    /// <param name="launcher">What starts the command: a program and the arguments before the command's own.</param>
    /// <param name="stopAt">A line of standard error that has this in it is answered with SIGTERM; null: never.</param>
    public static CommandOutcome Run(string[] launcher, (string Name, string Value)[] environment, string[] args, string? stopAt = null)
    {
        var start = new ProcessStartInfo(launcher[0], [.. launcher[1..], .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Threads that wait give the processor to others; which threads there are is not touched.
        start.Environment["OMP_WAIT_POLICY"] = "PASSIVE";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var error = new StringBuilder();
        var watch = Stopwatch.StartNew();
        using var process = new Process { StartInfo = start };
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null) return;
            lock (error) error.AppendLine(line.Data);
            if (stopAt is not null && line.Data.Contains(stopAt, StringComparison.Ordinal)) Signal(process.Id, SigTerm);
        };
        process.Start();
        process.BeginErrorReadLine();
        var output = process.StandardOutput.ReadToEndAsync();
        var peak = 0L;
        while (!process.WaitForExit(10)) peak = Math.Max(peak, PeakBytes(process.Id));
        var seconds = watch.Elapsed.TotalSeconds;
        process.WaitForExit();
        return new CommandOutcome(process.ExitCode, output.Result, error.ToString(), seconds, peak);
    }

    private static void Signal(int process, int signal)
    {
        using var kill = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {process}")]);
        kill.WaitForExit();
    }

    /// <summary>
    /// The high-water mark of resident memory never falls, so the last look before the end misses a few milliseconds only; 0 where the
    /// process is gone.
    /// </summary>
    public static long PeakBytes(int process)
    {
        const string key = "VmHWM:";
        try
        {
            var line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal));
            return line is null ? 0 : 1024 * long.Parse(line.AsSpan(key.Length).Trim(" \tkB"), CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
