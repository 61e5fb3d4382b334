using System.Diagnostics;
using System.Text.Json.Nodes;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Signals;

/// <summary>An attribution that is killed on its way, with no chance to clean up.</summary>
public sealed class KilledAttributionTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();

    public KilledAttributionTests()
    {
        TinyWorkspace.Write(_folder.Path);
        _folder.Write("long.yaml", TinyWorkspace.Run(TinyWorkspace.AdamW)
            .Replace("path: base-run/stages/01-language/state", "weights: random, path: shape", StringComparison.Ordinal)
            .Replace("batchSize: 6", "batchSize: 6\nepochs: 10", StringComparison.Ordinal));
        CommandLine.Json("train", _folder.At("long.yaml"), "--out", Run);
    }

    private string Run => _folder.At("run");

    [BuiltCommandFact]
    public void Resuming_gives_the_same_effects()
    {
        string[] command =
            ["attribute", Run, "--probe", _folder.At("identity.yaml"), "--gradient", "sampled", "--save-every", "0"];
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", [BuiltCommand.Path, .. command]) { RedirectStandardError = true })!;
        var progress = Path.Combine(Run, "progress");
        var watch = Stopwatch.StartNew();
        while (!HasFile(progress) && !process.HasExited && watch.Elapsed < s_patience) Thread.Sleep(5);
        process.Kill();
        Assert.True(process.WaitForExit(s_patience), "the process goes on after SIGKILL");
        Assert.True(HasFile(progress), process.StandardError.ReadToEnd());
        Assert.False(Directory.Exists(Path.Combine(Run, "effects")));

        var resumed = CommandLine.Succeed([.. command, "--resume", "--json"]);
        Assert.Matches("went on after [1-9][0-9]* steps that were walked before", resumed.Error);
        Assert.False(Directory.Exists(progress) && Directory.EnumerateFileSystemEntries(progress).Any());
        var kept = Untimed(Effects());
        var whole = CommandLine.Succeed([.. command, "--json"]);
        Assert.DoesNotContain("went on", whole.Error);
        Assert.Equal(Untimed(Effects()), kept);
    }

    [Fact]
    public void An_interval_that_is_none_is_refused()
    {
        var outcome = CommandLine.Run("attribute", Run, "--probe", _folder.At("identity.yaml"), "--save-every", "-1");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--save-every: '-1'; expected seconds from 0 to 86400", outcome.Error);
    }

    public void Dispose() => _folder.Dispose();

    private static bool HasFile(string progress) =>
        Directory.Exists(progress) && Directory.EnumerateFiles(progress, "*.progress", SearchOption.AllDirectories).Any();

    private string Effects() => File.ReadAllText(Directory.GetFiles(Path.Combine(Run, "effects")).Single());

    private static string Untimed(string json)
    {
        var effects = JsonNode.Parse(json)!.AsObject();
        foreach (var name in new[] { "createdUtc", "attributeSeconds" }) Assert.True(effects.Remove(name));
        return effects.ToJsonString();
    }
}
