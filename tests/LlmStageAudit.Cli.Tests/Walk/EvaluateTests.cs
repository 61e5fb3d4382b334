using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Walk;

[Collection(AuditCollection.Name)]
public sealed class EvaluateTests(AuditFixture audit)
{
    private static readonly string[] s_lastState = ["stages", "03-third", "state"];

    [Fact]
    public void A_run_says_examples_metrics_groups_and_each_example()
    {
        var said = CommandLine.Json("evaluate", audit.Run, "--probe", audit.Probe, "--per-example");
        Assert.Equal(TinyWorkspace.ProbeRows, said.Count("examples"));
        Assert.NotEmpty(said.GetProperty("metrics").EnumerateObject());
        var group = Assert.Single(said.List("groups"));
        Assert.Equal("blue", group.Text("group"));
        Assert.Equal(TinyWorkspace.ProbeRows / 2, group.Count("examples"));

        var examples = said.List("perExample");
        Assert.Equal(Enumerable.Range(1, TinyWorkspace.ProbeRows).Select(i => $"probe-{i}"), examples.Texts("id"));
        foreach (var example in examples)
        {
            double[] logits = [.. example.List("logits").Select(logit => logit.GetDouble())];
            Assert.Equal(2, logits.Length);
            var expected = logits[example.Count("label")] - Math.Log(logits.Sum(Math.Exp));
            Assert.Equal(expected, example.Number("logLikelihood"), 1e-6);
        }

        Assert.Equal(examples.Numbers("logLikelihood").Average(), said.Number("mean"), 1e-12);
    }

    [Fact]
    public void Without_per_example_there_is_none() =>
        Assert.False(CommandLine.Json("evaluate", audit.Run, "--probe", audit.Probe).TryGetProperty("perExample", out _));

    [Fact]
    public void The_runs_model_and_adapter_folders_give_what_the_run_gives()
    {
        var run = CommandLine.Json("evaluate", audit.Run, "--probe", audit.Probe, "--per-example");
        var folders = CommandLine.Json(
            "evaluate", "--model", audit.Model, "--adapter", audit.At(["sgd-run", .. s_lastState]), "--probe", audit.Probe,
                "--per-example");
        Assert.Equal(run.GetRawText(), folders.GetRawText());
    }

    [Fact]
    public void A_causal_model_gives_the_sum_over_predicted_tokens_and_no_logits()
    {
        File.WriteAllText(audit.At("causal.yaml"), "{ task: causal-lm, data: { path: probe.jsonl, ids: ids } }");
        var said = CommandLine.Json("evaluate", "--model", audit.Model, "--probe", audit.At("causal.yaml"), "--per-example");
        Assert.All(said.List("perExample"), example =>
        {
            Assert.True(example.Number("logLikelihood") < 0);
            Assert.False(example.TryGetProperty("logits", out _));
        });
    }

    [Theory]
    [InlineData(false, "neither a run nor --model")]
    [InlineData(true, "both a run and --model")]
    public void One_of_run_and_model_is_demanded(bool both, string message)
    {
        string[] sources = both ? [audit.Run, "--model", audit.Model] : [];
        var outcome = CommandLine.Run(["evaluate", .. sources, "--probe", audit.Probe]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(message, Assert.Single(outcome.ErrorLines));
    }

    [Fact]
    public void Scores_that_are_no_numbers_are_refused_and_not_ranked()
    {
        var adapter = audit.At("nan-adapter");
        Directory.CreateDirectory(adapter);
        foreach (var file in Directory.GetFiles(audit.At("sgd-run", "stages", "03-third", "state"))) File.Copy(file, Path.Combine(adapter, Path.GetFileName(file)));
        using (var weights = File.OpenWrite(Path.Combine(adapter, "adapter_model.safetensors")))
        {
            weights.Seek(-4, SeekOrigin.End);
            weights.Write(BitConverter.GetBytes(float.NaN));
        }

        var outcome = CommandLine.Run("evaluate", "--model", audit.Model, "--adapter", adapter, "--probe", audit.Probe);
        Assert.Equal((3, ""), (outcome.ExitCode, outcome.Output));
        Assert.Contains("a log-likelihood of NaN; expected a finite number", Assert.Single(outcome.ErrorLines));
    }
}
