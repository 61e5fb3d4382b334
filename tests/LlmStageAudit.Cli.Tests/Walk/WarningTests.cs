using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Walk;

/// <summary>What a person would raise a hand at is on standard error, in `--json` and in the report; nothing is where there is nothing.</summary>
[Collection(AuditCollection.Name)]
public sealed class WarningTests(AuditFixture audit)
{
    private int _runs;

    [Fact]
    public void A_sound_run_and_probe_have_none()
    {
        Assert.Empty(audit.Trained("sgd").List("warnings"));
        Assert.Empty(CommandLine.Json("evaluate", audit.Run, "--probe", audit.Probe).List("warnings"));
        Assert.Empty(CommandLine.Json("rank", audit.Run, "--probe", audit.Probe, "--confounder", "blue").List("warnings"));
    }

    [Theory]
    [InlineData("stage-never-moves", "'first'", "stages.first.optimizer.learningRate=0")]
    [InlineData("limit-not-reached", "24 rows of the 100", "stages.third.data.limit=100")]
    [InlineData("same-data", "those of stage 'first'", "stages.third.data.path=first.jsonl")]
    [InlineData("one-class", "all 24 examples have label 0", "stages.second.data.label=blue == 'Yes'")]
    [InlineData("diverged", "the mean loss grew", "stages.first.optimizer.learningRate=100", "stages.first.epochs=4")]
    public void A_run_says_what_is_odd_about_it(string code, string says, params string[] settings)
    {
        var run = audit.At($"warned-{code}-{_runs++}");
        string[] set = [.. settings.SelectMany(setting => new[] { "--set", setting })];
        var outcome = CommandLine.Succeed(["train", audit.At("sgd.yaml"), "--out", run, .. set, "--json"]);
        var warning = Assert.Single(outcome.Json.List("warnings"), warning => warning.Text("code") == code);
        Assert.Contains(says, warning.Text("message"));
        Assert.Contains($"warning: {warning.Text("message")}", outcome.ErrorLines);
        var report = Path.Combine(run, "report.html");
        CommandLine.Json("report", run);
        Assert.Contains("<p class=\"notice\" role=\"note\">Warning: ", File.ReadAllText(report));
        Assert.Contains(code, File.ReadAllText(Path.Combine(run, "manifest.json")));
    }

    [Fact]
    public void A_probe_says_which_groups_are_small_and_how_many_rows_were_trained_on()
    {
        var text = TinyWorkspace.Probe.Replace("probe.jsonl", "second.jsonl", StringComparison.Ordinal)
            .Replace("name: identity", "name: seen", StringComparison.Ordinal);
        File.WriteAllText(audit.At("seen.yaml"), text);
        var said = CommandLine.Json("evaluate", audit.Run, "--probe", audit.At("seen.yaml")).List("warnings");
        Assert.Equal(["small-group", "probe-trained-on"], said.Texts("code"));
        Assert.Contains("'blue' has 12 rows", said[0].Text("message"));
        Assert.Contains("24 of 24 rows", said[1].Text("message"));
    }

    [Fact]
    public void An_adapter_says_that_it_was_trained_on_another_base()
    {
        var other = audit.At("other-base");
        CommandLine.Json("train", audit.At("base.yaml"), "--out", other, "--set", "seed=4");
        var adapter = audit.At("sgd-run", "stages", "03-third", "state");
        Assert.Empty(Evaluated(audit.Model));
        Assert.Equal(["other-base"], Evaluated(Path.Combine(other, "stages", "01-language", "state")));

        string[] Evaluated(string model) => CommandLine.Json(
            "evaluate", "--model", model, "--adapter", adapter, "--probe", audit.Probe).List("warnings").Texts("code");
    }

    [Fact]
    public void Errors_of_json_commands_are_one_object()
    {
        var outcome = CommandLine.Run("rank", audit.Run, "--probe", audit.Probe, "--confounder", "blu", "--json");
        Assert.Equal((3, ""), (outcome.ExitCode, outcome.Output));
        var error = (outcome with { Output = outcome.Error }).Json;
        Assert.Equal("input", error.Text("code"));
        Assert.Contains("no group 'blu'", error.Text("message"));
        Assert.Empty(error.List("details"));

        error = (CommandLine.Run("rank", audit.Run, "--jsno", "--json") with { Output = "" }) is { ExitCode: 2, Error: var text }
            ? new CommandOutcome(2, text, "").Json
            : throw new InvalidOperationException();
        Assert.Equal("request", error.Text("code"));
        Assert.Contains("see: stageaudit rank --help", error.List("details").Select(detail => detail.GetString()));
    }
}
