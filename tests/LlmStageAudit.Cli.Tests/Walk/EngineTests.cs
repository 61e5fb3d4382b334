using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Walk;

/// <summary>What was computed by another engine is said wherever a run is gone on with or replayed.</summary>
[Collection(AuditCollection.Name)]
public sealed class EngineTests(AuditFixture audit) : IDisposable
{
    private const string Said = "computed by another engine";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [BuiltCommandFact]
    public void Another_number_of_threads_is_named_and_the_same_is_not()
    {
        var run = _folder.At("run");
        BuiltCommand.Succeed("train", audit.At("sgd.yaml"), "--out", run, "--threads", "1");
        var manifest = JsonReading.ReadFile(Path.Combine(run, "manifest.json")).GetProperty("engine");
        Assert.Equal(1, manifest.Count("threads"));
        Assert.NotEmpty(manifest.Text("processor"));
        string[] attribute = ["attribute", run, "--probe", audit.Probe, "--gradient", "recorded"];
        Assert.DoesNotContain(Said, BuiltCommand.Succeed([.. attribute, "--threads", "1"]).Error);
        var other = BuiltCommand.Succeed([.. attribute, "--threads", "2"]).Error;
        Assert.Contains(Said, other);
        Assert.Contains("threads 1, here 2", other);
        // Said where bits are compared, too, and to those who want to hear nothing else.
        Assert.Contains(Said, BuiltCommand.Succeed("verify-log", run, "--replay", "1", "--threads", "2", "--quiet").Error);
        Assert.Null(JsonReading.ReadFile(Path.Combine(run, "manifest.json")).TryGetProperty("laterEngines", out _) ? "listed" : null);
    }
}
