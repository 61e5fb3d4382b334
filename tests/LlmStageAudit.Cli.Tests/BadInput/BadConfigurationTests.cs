using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.BadInput;

[Collection(AuditCollection.Name)]
public sealed class BadConfigurationTests(AuditFixture audit) : IDisposable
{
    private readonly BrokenWorkspace _workspace = new(audit);

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void A_file_that_is_not_there() =>
        _workspace.Refused(2, ["train", _workspace.At("nothing.yaml"), "--out", _workspace.Out], _workspace.At("nothing.yaml"),
            "no such file");

    [Fact]
    public void A_probe_file_that_is_not_there() =>
        _workspace.Refused(2, ["evaluate", audit.Run, "--probe", _workspace.At("nothing.yaml")], _workspace.At("nothing.yaml"),
            "no such file");

    [Fact]
    public void An_unknown_key()
    {
        _workspace.Edit("sgd.yaml", "learningRate: 0.2", "learningRat: 0.2");
        var outcome = _workspace.RefusedInLines(2, "train", _workspace.Config, "--out", _workspace.Out);
        var line = Assert.Single(outcome.ErrorLines, line => line.Contains("learningRat: unknown key", StringComparison.Ordinal));
        Assert.Contains(_workspace.Config + ":3", line);
        Assert.Contains("did you mean 'learningRate'?", line);
    }

    [Fact]
    public void Several_faults_are_reported_at_once()
    {
        _workspace.Write("sgd.yaml", """
            model: { path: base-run, task: classification }
            adapter: { r: 0 }
            optimizer: { name: sdg, learningRate: fast }
            stages:
              - { name: first, dta: { path: first.jsonl } }
              - { name: first, data: { path: first.jsonl }, epochs: -1 }
            """);
        var outcome = _workspace.RefusedInLines(2, "train", _workspace.Config, "--out", _workspace.Out);
        Assert.All(outcome.ErrorLines, line => Assert.StartsWith($"error: {_workspace.Config}:", line));
        foreach (var (line, fault) in new[] { (1, "task"), (2, "r"), (3, "name"), (3, "learningRate"), (5, "dta"), (6, "epochs"),
            (6, "first") })
        {
            Assert.Contains(outcome.ErrorLines, found =>
                found.StartsWith($"error: {_workspace.Config}:{line}", StringComparison.Ordinal)
                    && found.Contains(fault, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("", "no configuration")]
    [InlineData("[1, 2]", "expected the keys model, adapter")]
    [InlineData("model: { path: [\n", "sgd.yaml")]
    public void What_is_no_configuration(string text, string mention)
    {
        _workspace.Write("sgd.yaml", text);
        _workspace.TrainRefused(2, _workspace.Config, mention);
    }

    [Theory]
    [InlineData("optimizer.learningRat=1", "did you mean 'learningRate'?")]
    [InlineData("stages.secnd.epochs=2", "second")]
    [InlineData("seed", "seed")]
    public void Overrides_of_nothing(string text, string mention)
    {
        var outcome = _workspace.RefusedInLines(2, "train", _workspace.Config, "--out", _workspace.Out, "--set", text);
        Assert.Contains(mention, outcome.Error);
    }

    [Fact]
    public void A_learning_rate_that_blows_up_names_stage_and_step()
    {
        var outcome = CommandLine.Run("train", _workspace.Config, "--out", _workspace.Out, "--set", "optimizer.learningRate=1e30",
            "--set", "schedule.name=constant");
        Assert.Equal(1, outcome.ExitCode);
        var line = Assert.Single(outcome.ErrorLines, text => text.StartsWith("error: ", StringComparison.Ordinal));
        Assert.Matches("^error: stage 'first', step [2-4]: the (loss|gradient norm) is (NaN|Infinity); expected a finite number; ", line);
        Assert.Contains("lower the learning rate", line);
        Assert.Empty(outcome.Output);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_workspace.Out, "*.partial", SearchOption.AllDirectories));
        Assert.False(Directory.Exists(Path.Combine(_workspace.Out, "stages", "01-first", "state")));

        // The run stays unfinished: nothing takes it for a result.
        Assert.NotEqual("completed", CommandLine.Json("inspect", _workspace.Out).Text("state"));
        _workspace.Refused(3, ["attribute", _workspace.Out, "--probe", _workspace.Probe], _workspace.Out, "expected a completed run");
    }
}
