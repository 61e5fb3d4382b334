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
    public void Exact_predictions_are_the_same_bits_as_retraining_and_say_what_they_are(string optimizer)
    {
        var plan = audit.RetrainedPlan(optimizer, "exact");
        var said = CommandLine.Json("verify", plan, "--effects", audit.EffectsFile(optimizer, "exact"), "--min-pearson", "0.99");
        Assert.True(said.GetProperty("passed").GetBoolean());
        Assert.Equal(("exact", "stage", "log-likelihood"), (said.Text("gradient"), said.Text("treatment"), said.Text("metric")));
        var stages = said.List("stages");
        Assert.Equal(TinyWorkspace.Stages, stages.Texts("stage"));
        Assert.All(stages, stage =>
        {
            Assert.Equal("replay-exact", stage.Text("estimator"));
            Assert.True(stage.GetProperty("bitIdentical").GetBoolean());
            Assert.Equal(TinyWorkspace.ProbeRows, stage.Count("examples"));
        });
    }

    /// <summary>Files of before are read, verified and ranked; nothing makes new ones.</summary>
    [Fact]
    public void Old_effects_of_a_research_source_are_still_of_use()
    {
        var plan = audit.RetrainedPlan("sgd", "exact");
        var effects = audit.OldEffects("sgd", "midpoint");
        try
        {
            var said = CommandLine.Json("verify", plan, "--effects", effects);
            Assert.Equal("midpoint", said.Text("gradient"));
            Assert.Equal(["replay-midpoint", "replay-midpoint", "replay-midpoint"], said.List("stages").Texts("estimator"));
            var ranked = CommandLine.Json("rank", audit.Run, "--probe", audit.Probe, "--confounder", "blue", "--gradient", "midpoint");
            Assert.Equal(effects, ranked.Text("effectsPath"));
            Assert.All(ranked.List("ranking"), stage => Assert.Equal("unknown", stage.Text("trust")));
            Assert.Contains("replay-midpoint", CommandLine.Succeed("inspect", effects).Output);
        }
        finally
        {
            File.Delete(effects);
        }

        foreach (var verb in new[] { "attribute", "rank" })
        {
            string[] confounder = verb == "rank" ? ["--confounder", "blue"] : [];
            var refused = CommandLine.Run([verb, audit.Run, "--probe", audit.Probe, "--gradient", "midpoint", .. confounder]);
            Assert.Equal(2, refused.ExitCode);
            Assert.StartsWith(
                "error: --gradient: 'midpoint'; expected recorded, sampled, exact: midpoint costs more than exact",
                Assert.Single(refused.ErrorLines));
        }
    }

    [Fact]
    public void A_gate_that_is_missed_is_a_finding_with_exit_code_4()
    {
        var plan = audit.RetrainedPlan("sgd", "recorded");
        // The last stage's prediction is right to the bit and passes all the same.
        var outcome = CommandLine.Run("verify", plan, "--effects", audit.EffectsFile("sgd", "recorded"), "--min-pearson", "1", "--json");
        Assert.Equal(4, outcome.ExitCode);
        Assert.False(outcome.Json.GetProperty("passed").GetBoolean());
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Equal("verification failed: Pearson below 1 for first, second", line);
    }

    [Fact]
    public void Exact_predictions_are_confirmed_whatever_the_gate()
    {
        var plan = audit.RetrainedPlan("sgd", "exact");
        var said = CommandLine.Json("verify", plan, "--effects", audit.EffectsFile("sgd", "exact"), "--min-pearson", "1");
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

    [Fact]
    public void A_retrained_state_that_was_changed_verifies_nothing()
    {
        var plan = audit.RetrainedPlan("sgd", "recorded");
        var run = CommandLine.Json("status", plan).List("jobs")[0].Text("run");
        var state = Path.Combine(Directory.GetDirectories(Path.Combine(run, "stages")).Order().Last(), "state", "adapter_model.safetensors");
        var bytes = File.ReadAllBytes(state);
        try
        {
            File.WriteAllBytes(state, [.. bytes[..^1], (byte)(bytes[^1] ^ 1)]);
            var outcome = CommandLine.Run("verify", plan);
            Assert.Equal((4, ""), (outcome.ExitCode, outcome.Output));
            Assert.Contains("the retrained run is not what was sealed", Assert.Single(outcome.ErrorLines));
        }
        finally
        {
            File.WriteAllBytes(state, bytes);
        }

        CommandLine.Succeed("verify", plan);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("-1.5")]
    [InlineData("NaN")]
    public void A_gate_that_no_correlation_can_be_held_against_is_refused(string gate)
    {
        var outcome = CommandLine.Run("verify", audit.RetrainedPlan("sgd", "recorded"), $"--min-pearson={gate}");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("a correlation from -1 to 1", outcome.Error);
    }
}
