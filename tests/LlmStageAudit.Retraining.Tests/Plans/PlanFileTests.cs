using LlmStageAudit.Artifacts.Errors;
using LlmStageAudit.Artifacts.Plans;
using LlmStageAudit.Artifacts.Runs;
using LlmStageAudit.Artifacts.Serialization;
using LlmStageAudit.Retraining.Plans;
using LlmStageAudit.Retraining.Tests.Runs;

namespace LlmStageAudit.Retraining.Tests.Plans;

[Collection(TinyRunCollection.Name)]
public sealed class PlanFileTests(RetrainableRun run)
{
    [Fact]
    public void Paths_are_resolved_against_the_plans_folder()
    {
        var effects = run.Write("resolved.json", run.Effects(("second", [.1, .2])));
        var plan = run.PlanWith("resolved", effects, "second");
        Assert.Equal(run.Folder.Root, plan.RunPath);
        Assert.Equal(effects, plan.EffectsPath);
        Assert.Equal(run.At("plans", "resolved", "plan.runs", "skip-second"), plan.RunOf(plan.Plan.Jobs[0]));
        Assert.Null(run.Plan("without", "second").EffectsPath);
    }

    [Theory]
    [InlineData("../elsewhere")]
    [InlineData("plan.runs/../../elsewhere")]
    [InlineData("/tmp/elsewhere")]
    [InlineData("../outside-too")]
    [InlineData("../../plans/outside-but-named-alike")]
    [InlineData(".")]
    [InlineData("")]
    public void A_job_that_would_be_written_outside_is_refused(string path)
    {
        var plan = run.Plan("outside", "second");
        ArtifactJson.Write(plan.Path, plan.Plan with { Jobs = [plan.Plan.Jobs[0] with { Run = path }] });
        var refused = Assert.Throws<RetrainingException>(() => PlanFile.Open(plan.Path));
        Assert.Equal(ExitCode.InvalidInput, refused.ExitCode);
        Assert.Contains("skip-second", refused.Message);
        Assert.Contains("outside the plan's folder", refused.Message);
    }

    [Fact]
    public void A_folder_inside_may_be_spelt_in_a_roundabout_way()
    {
        var plan = run.Plan("roundabout", "second");
        ArtifactJson.Write(plan.Path, plan.Plan with { Jobs = [plan.Plan.Jobs[0] with { Run = "x/../y" }] });
        var opened = PlanFile.Open(plan.Path);
        Assert.Equal(run.At("plans", "roundabout", "y"), opened.RunOf(opened.Plan.Jobs[0]));
    }

    [Fact]
    public void The_state_of_a_job_is_that_of_its_run_folder()
    {
        var plan = run.Plan("states", "second");
        var job = plan.Plan.Jobs[0];
        Assert.Equal("pending", plan.StateOf(job));
        Directory.CreateDirectory(plan.RunOf(job));
        Assert.Equal("pending", plan.StateOf(job));
        var folder = RunFolder.Open(Made(plan, job, RunState.Running));
        Assert.Equal("running", plan.StateOf(job));
        folder.WriteManifest(run.Manifest with { State = RunState.Stopped });
        Assert.Equal("stopped", plan.StateOf(job));
        folder.WriteManifest(run.Manifest with { State = RunState.Completed });
        Assert.Equal("completed", plan.StateOf(job));
    }

    private string Made(PlanFile plan, PlannedJob job, RunState state)
    {
        RunFolder.Create(plan.RunOf(job)).WriteManifest(run.Manifest with { State = state });
        return plan.RunOf(job);
    }
}
