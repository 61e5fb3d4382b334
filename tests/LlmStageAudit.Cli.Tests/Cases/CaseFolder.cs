using System.Text.Json;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Cases;

/// <summary>
/// A folder of small inputs under shared/cases, read where it lies, and a folder of the test's own for what commands write.
/// </summary>
/// <param name="name">Below shared/cases, such as "_fine/csv-odd-cells".</param>
internal sealed class CaseFolder(string name) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>A run folder that no command has made yet.</summary>
    public string Out => _folder.At("out");

    /// <summary>A file of the case.</summary>
    public string At(params string[] parts) => SharedData.At(["cases", .. name.Split('/'), .. parts]);

    /// <summary>A file beside the case, such as one of the shared models.</summary>
    public static string Beside(params string[] parts) => SharedData.At(["cases", .. parts]);

    /// <summary>A file of the test's own.</summary>
    public string Write(string file, string text) => _folder.Write(file, text);

    public CommandOutcome Train(string config = "run.yaml", params string[] more) =>
        CommandLine.Run(["train", At(config), "--out", Out, .. more]);

    /// <summary>Training that succeeds, with what it says as JSON.</summary>
    public JsonElement Trained(string config = "run.yaml", params string[] more) =>
        CommandLine.Json(["train", At(config), "--out", Out, .. more]);

    /// <summary>Training that is refused in one line with all of this in it, and leaves no run.</summary>
    public void TrainRefused(int exitCode, string[] mentions, string config = "run.yaml", params string[] more)
    {
        CheckRefused(Train(config, more), exitCode, mentions);
        Assert.False(Directory.Exists(Out));
    }

    /// <summary>One line on standard error, with all of this in it, and nothing else.</summary>
    public static void CheckRefused(CommandOutcome outcome, int exitCode, params string[] mentions)
    {
        Assert.True(outcome.ExitCode == exitCode, $"exit {outcome.ExitCode}: {outcome.Error}");
        Assert.Empty(outcome.Output);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.StartsWith("error: ", line);
        Assert.All(mentions, mention => Assert.Contains(mention, line));
    }

    public void Dispose() => _folder.Dispose();
}
