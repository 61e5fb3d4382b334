using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Plans;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
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
    [InlineData("plan.runs/other")]
    [InlineData("x/../y")]
    [InlineData("")]
    public void A_job_that_would_be_written_outside_is_refused(string path)
    {
        var plan = run.Plan("outside", "second");
        ArtifactJson.Write(plan.Path, plan.Plan with { Jobs = [plan.Plan.Jobs[0] with { Run = path }] });
        var refused = Assert.Throws<RetrainingException>(() => PlanFile.Open(plan.Path));
        Assert.Equal(ErrorKind.Input, refused.Kind);
        Assert.Contains("skip-second", refused.Message);
        Assert.Contains("not to plan.runs/skip-second", refused.Message);
    }

    [Fact]
    public void A_plan_that_every_user_may_write_is_refused()
    {
        if (OperatingSystem.IsWindows()) return;
        var plan = run.Plan("open", "second");
        PlanFile.Open(plan.Path);
        File.SetUnixFileMode(plan.Path, File.GetUnixFileMode(plan.Path) | UnixFileMode.OtherWrite);
        var refused = Assert.Throws<RetrainingException>(() => PlanFile.Open(plan.Path));
        Assert.Equal(ErrorKind.Input, refused.Kind);
        Assert.Contains("every user of this machine may write it", refused.Message);
        Assert.Contains("chmod o-w", refused.Message);
    }

    [Theory]
    [InlineData("plan.runs")]
    [InlineData("plan.runs/skip-second")]
    public void A_job_that_would_be_written_through_a_link_is_refused(string link)
    {
        var plan = run.Plan("link-" + Path.GetFileName(link), "second");
        var at = Path.Combine(Path.GetDirectoryName(plan.Path)!, link);
        Directory.CreateDirectory(Path.GetDirectoryName(at)!);
        Directory.CreateSymbolicLink(at, Directory.CreateDirectory(run.At("elsewhere")).FullName);
        Assert.Contains("through a link", Assert.Throws<RetrainingException>(() => PlanFile.Open(plan.Path)).Message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(run.At("elsewhere")));
    }

    [Theory]
    [InlineData("../../../x")]
    [InlineData("a b")]
    [InlineData("$(id)")]
    [InlineData("a\nb")]
    public void A_job_with_a_name_that_is_no_name_is_refused(string name)
    {
        var plan = run.Plan("names", "second");
        foreach (var job in (PlannedJob[])
            [
                plan.Plan.Jobs[0] with { Id = name },
                plan.Plan.Jobs[0] with { Stage = name },
                plan.Plan.Jobs[0] with { Stages = [name] },
            ])
        {
            ArtifactJson.Write(plan.Path, plan.Plan with { Jobs = [job] });
            var refused = Assert.Throws<ArtifactException>(() => PlanFile.Open(plan.Path));
            Assert.Contains("letters, digits", refused.Message);
            Assert.DoesNotContain('\n', refused.Message);
        }
    }

    [Fact]
    public void A_folder_inside_may_be_spelt_in_a_roundabout_way()
    {
        var plan = run.Plan("roundabout", "second");
        ArtifactJson.Write(plan.Path, plan.Plan with { Jobs = [plan.Plan.Jobs[0] with { Run = "x/../plan.runs/./skip-second" }] });
        var opened = PlanFile.Open(plan.Path);
        Assert.Equal(run.At("plans", "roundabout", "plan.runs", "skip-second"), opened.RunOf(opened.Plan.Jobs[0]));
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
