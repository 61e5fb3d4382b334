using System.Text.Json;
using LlmStageAudit.Cli;

namespace LlmStageAudit.EndToEnd.Tests;

/// <summary>Runs `stageaudit` in this process.</summary>
internal static class CommandLine
{
    /// <summary>Runs a verb with --json and returns the object it printed; any exit code but 0 fails the test.</summary>
    public static async Task<JsonElement> JsonAsync(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await StageAudit.RunAsync([.. args, "--json", "--quiet"], output, error);
        Assert.True(code == 0, $"stageaudit {string.Join(' ', args)}: exit {code}: {error}");
        return JsonDocument.Parse(output.ToString()).RootElement;
    }
}
