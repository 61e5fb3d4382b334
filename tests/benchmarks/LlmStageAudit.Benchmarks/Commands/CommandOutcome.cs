using System.Text.Json;

namespace LlmStageAudit.Benchmarks.Commands;

/// <summary>How a command ended.</summary>
/// <param name="Seconds">From its start as a process to its end.</param>
/// <param name="PeakBytes">VmHWM as last seen before the end.</param>
internal sealed record CommandOutcome(int ExitCode, string Output, string Error, double Seconds, long PeakBytes)
{
    /// <param name="args">What was run, for the message.</param>
    /// <returns>This outcome.</returns>
    /// <exception cref="InvalidOperationException">The command did not succeed.</exception>
    public CommandOutcome OrThrow(string[] args) => ExitCode == 0
        ? this
        : throw new InvalidOperationException($"stageaudit {string.Join(' ', args)}: exit {ExitCode}: {Error}");

    public JsonElement Json
    {
        get
        {
            using var document = JsonDocument.Parse(Output);
            return document.RootElement.Clone();
        }
    }
}
