using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Walk;

[Collection(AuditCollection.Name)]
public sealed class RetrainTests(AuditFixture audit)
{
    [Fact]
    public void Jobs_are_completed_and_running_again_changes_nothing()
    {
        var plan = audit.RetrainedPlan("sgd", "exact");
        var before = FileTree.Of(Path.GetDirectoryName(plan)!);
        var said = CommandLine.Json("retrain", plan);
        Assert.Equal(before, FileTree.Of(Path.GetDirectoryName(plan)!));

        var jobs = said.List("jobs");
        Assert.Equal(["skip-first", "skip-second", "skip-third"], jobs.Texts("id"));
        Assert.Equal(TinyWorkspace.Stages, jobs.Texts("stage"));
        Assert.All(jobs, job => Assert.Equal("completed", job.Text("state")));
        Assert.All(jobs, job => Assert.True(Directory.Exists(job.Text("run"))));
        Assert.Equal(said.GetRawText(), CommandLine.Json("status", plan).GetRawText());
    }

    [Fact]
    public void A_job_that_was_not_run_is_pending()
    {
        var plan = audit.At("plans", "pending.json");
        CommandLine.Json("plan", audit.Run, "--skip", "second", "--out", plan);
        var job = Assert.Single(CommandLine.Json("status", plan).List("jobs"));
        Assert.Equal("pending", job.Text("state"));
        Assert.False(Directory.Exists(job.Text("run")));
        Assert.Contains("pending", CommandLine.Succeed("status", plan).Output);
    }

    [Fact]
    public void Another_executor_than_local_is_refused()
    {
        var outcome = CommandLine.Run("retrain", audit.RetrainedPlan("sgd", "exact"), "--executor", "slurm");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--executor: 'slurm'; expected local", Assert.Single(outcome.ErrorLines));
    }

    [Theory]
    [InlineData("sgd")]
    [InlineData("adamw")]
    public void Exact_replay_is_retraining_to_the_last_bit(string optimizer)
    {
        var jobs = CommandLine.Json("retrain", audit.RetrainedPlan(optimizer, "exact")).List("jobs");
        var exported = CommandLine.Json(
            "attribute", audit.At($"{optimizer}-run"), "--probe", audit.Probe, "--gradient", "exact", "--export-adapters",
                audit.At(optimizer + "-exact"));
        var observed = FileTree.HashOf(audit.At($"{optimizer}-run", "stages", "03-third", "state", "adapter_model.safetensors"));
        foreach (var (effect, job) in exported.List("effects").Zip(jobs))
        {
            Assert.Equal(effect.Text("stage"), job.Text("stage"));
            var stages = Path.Combine(job.Text("run"), "stages");
            var last = Directory.Exists(stages) ? Directory.GetDirectories(stages).Order(StringComparer.Ordinal).Last() : null;
            var retrained = last is null ? Path.Combine(job.Text("run"), "initial") : Path.Combine(last, "state");
            var hash = FileTree.HashOf(Path.Combine(retrained, "adapter_model.safetensors"));
            Assert.Equal(hash, FileTree.HashOf(Path.Combine(effect.Text("exportedAdapter"), "adapter_model.safetensors")));
            Assert.NotEqual(observed, hash);
        }
    }

    [Theory]
    [InlineData("sgd")]
    [InlineData("adamw")]
    public void Midpoint_predictions_stand_up_to_retraining(string optimizer)
    {
        var plan = audit.RetrainedPlan(optimizer, "midpoint");
        var said = CommandLine.Json("verify", plan, "--effects", audit.EffectsFile(optimizer, "midpoint"), "--min-pearson", "0.99");
        Assert.True(said.GetProperty("passed").GetBoolean());
        Assert.Equal("midpoint", said.Text("gradient"));
        var stages = said.List("stages");
        Assert.Equal(TinyWorkspace.Stages, stages.Texts("stage"));
        foreach (var stage in stages)
        {
            Assert.InRange(stage.Number("pearson"), 0.99, 1);
            Assert.InRange(stage.Number("spearman"), 0.9, 1);
            Assert.InRange(stage.Number("relativeError"), 0, 0.2);
            Assert.Equal(TinyWorkspace.ProbeRows, stage.Count("examples"));
            Assert.Equal(stage.Number("measured"), stage.Number("predicted"), 0.2 * Math.Abs(stage.Number("measured")) + 1e-4);
        }
    }

    [Fact]
    public void A_gate_that_is_missed_is_a_finding_with_exit_code_4()
    {
        var plan = audit.RetrainedPlan("sgd", "midpoint");
        // No correlation reaches 2; the last stage's prediction is right to the bit and passes all the same.
        var outcome = CommandLine.Run("verify", plan, "--effects", audit.EffectsFile("sgd", "midpoint"), "--min-pearson", "2", "--json");
        Assert.Equal(4, outcome.ExitCode);
        Assert.False(outcome.Json.GetProperty("passed").GetBoolean());
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Equal("verification failed: Pearson below 2 for first, second", line);
    }

    [Fact]
    public void Exact_predictions_are_confirmed_whatever_the_gate()
    {
        var plan = audit.RetrainedPlan("sgd", "exact");
        var said = CommandLine.Json("verify", plan, "--effects", audit.EffectsFile("sgd", "exact"), "--min-pearson", "2");
        Assert.All(said.List("stages"), stage =>
        {
            Assert.Equal(stage.Number("measured"), stage.Number("predicted"), 1e-12);
            Assert.Equal(0, stage.Number("relativeError"));
            Assert.Equal(1, stage.Number("pearson"), 1e-12);
        });
    }

    [Fact]
    public void What_was_not_retrained_cannot_be_verified()
    {
        CommandLine.Json("attribute", audit.Run, "--probe", audit.Probe);
        var plan = audit.At("plans", "waiting.json");
        CommandLine.Json("plan", audit.Run, "--skip", "second", "--out", plan);
        var outcome = CommandLine.Run("verify", plan);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("not yet retrained: skip-second; run retrain first", Assert.Single(outcome.ErrorLines));
    }
}
