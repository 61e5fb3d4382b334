using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Walk;

[Collection(AuditCollection.Name)]
public sealed class TrainTests(AuditFixture audit)
{
    [Fact]
    public void Says_run_steps_seconds_and_every_stage()
    {
        var said = audit.Trained("sgd");
        Assert.Equal(audit.Run, said.Text("run"));
        Assert.Equal(3 * TinyWorkspace.StepsPerStage, said.Count("steps"));
        Assert.True(said.Number("trainSeconds") > 0);
        Assert.True(said.Number("logSeconds") >= 0);
        var stages = said.List("stages");
        Assert.Equal(TinyWorkspace.Stages, stages.Texts("name"));
        Assert.All(stages, stage => Assert.Equal(TinyWorkspace.StepsPerStage, stage.Count("steps")));
        Assert.All(stages, stage => Assert.InRange(stage.Number("loss"), 1e-6, 20));
    }

    [Fact]
    public void Leaves_a_peft_folder_per_stage_and_a_model_folder_where_all_parameters_train()
    {
        foreach (var (name, index) in TinyWorkspace.Stages.Select((name, index) => (name, index)))
        {
            var state = audit.At("sgd-run", "stages", $"0{index + 1}-{name}", "state");
            Assert.Equal(
                ["README.md", "adapter_config.json", "adapter_model.safetensors"],
                Directory.GetFiles(state).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal));
        }

        Assert.True(File.Exists(Path.Combine(audit.Model, "model.safetensors")));
        Assert.Equal(6, audit.BaseTraining.Count("steps"));
    }

    [Fact]
    public void Overrides_reach_single_stages_and_resuming_a_completed_run_changes_nothing()
    {
        var run = audit.At("overridden");
        string[] command =
            ["train", audit.At("sgd.yaml"), "--out", run, "--set", "stages.second.epochs=2", "--set", "optimizer.learningRate=1e-3"];
        var said = CommandLine.Json(command);
        Assert.Equal([4, 8, 4], said.List("stages").Select(stage => stage.Count("steps")));
        var before = FileTree.Of(run);
        var again = CommandLine.Json([.. command, "--resume"]);
        Assert.Equal(said.Text("runId"), again.Text("runId"));
        Assert.Equal(before, FileTree.Of(run));
    }

    [Fact]
    public void Resuming_with_another_configuration_is_refused()
    {
        var outcome = CommandLine.Run("train", audit.At("sgd.yaml"), "--out", audit.Run, "--resume", "--set", "seed=8");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("another configuration", Assert.Single(outcome.ErrorLines));
    }

    [Fact]
    public void Two_trainings_give_the_same_bytes()
    {
        CommandLine.Json("train", audit.At("sgd.yaml"), "--out", audit.At("twin"));
        foreach (var state in new[] { "initial", "stages/01-first/state", "stages/03-third/state" })
        {
            Assert.Equal(
                FileTree.HashOf(audit.At("sgd-run", state, "adapter_model.safetensors")),
                    FileTree.HashOf(audit.At("twin", state, "adapter_model.safetensors")));
        }
    }

    [Fact]
    public void Without_json_a_table_goes_to_standard_output_and_quiet_leaves_standard_error_empty()
    {
        var outcome = CommandLine.Succeed("train", audit.At("sgd.yaml"), "--out", audit.At("table"), "--quiet");
        Assert.Empty(outcome.Error);
        Assert.All(TinyWorkspace.Stages, stage => Assert.Contains(stage, outcome.Output));
        Assert.Contains("12 steps", outcome.Output);
        Assert.DoesNotContain('\u001b', outcome.Output);
    }
}
