using System.Text.Json;

namespace LlmStageAudit.Cli.Tests.Surface;

/// <summary>How a command ended and what it said.</summary>
internal sealed record CommandOutcome(int ExitCode, string Output, string Error)
{
    /// <summary>Standard output as one JSON object; fails where anything stands beside it.</summary>
    public JsonElement Json
    {
        get
        {
            Assert.StartsWith("{", Output);
            using var document = JsonDocument.Parse(Output);
            return document.RootElement.Clone();
        }
    }

    public string[] ErrorLines => Error.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>
/// Runs the command line in this process, whose settings, such as threads, all tests share: see <see cref="BuiltCommand"/> for others.
/// </summary>
internal static class CommandLine
{
    public static CommandOutcome Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = StageAudit.RunAsync(args, output, error).GetAwaiter().GetResult();
        return new CommandOutcome(code, output.ToString(), error.ToString());
    }

    /// <summary>A command that succeeds, with `--json`: its one object, after the checks that hold for every verb.</summary>
    public static JsonElement Json(params string[] args)
    {
        var outcome = Succeed([.. args, "--json"]);
        var json = outcome.Json;
        Assert.Equal(1, json.GetProperty("schemaVersion").GetInt32());
        Assert.DoesNotContain('{', outcome.Error);
        return json;
    }

    public static CommandOutcome Succeed(params string[] args)
    {
        var outcome = Run(args);
        Assert.True(outcome.ExitCode == 0, $"stageaudit {string.Join(' ', args)}: exit {outcome.ExitCode}\n{outcome.Error}");
        return outcome;
    }
}
