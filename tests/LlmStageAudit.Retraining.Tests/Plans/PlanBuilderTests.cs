using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Plans;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Retraining.Plans;
using LlmStageAudit.Retraining.Tests.Runs;
using LlmStageAudit.Training;

namespace LlmStageAudit.Retraining.Tests.Plans;

[Collection(TinyRunCollection.Name)]
public sealed class PlanBuilderTests(RetrainableRun run)
{
    [Fact]
    public void A_job_starts_where_its_stage_began_and_trains_what_follows()
    {
        var plan = Build("jobs", "first", "second", "third");
        Assert.Equal(["skip-first", "skip-second", "skip-third"], plan.Jobs.Select(job => job.Id));
        Assert.Equal([null, "first", "second"], plan.Jobs.Select(job => job.StartsAfter));
        Assert.Equal([["second", "third"], ["third"], []], plan.Jobs.Select(job => job.Stages.ToArray()));
        Assert.Equal([8, 4, 0], plan.Jobs.Select(job => job.Steps));
        Assert.Equal(12, plan.TotalSteps);
        var seconds = run.Manifest.Stages.Select(stage => stage.TrainSeconds + stage.LogSeconds).ToArray();
        Assert.Equal([seconds[1] + seconds[2], seconds[2], 0], plan.Jobs.Select(job => job.EstimatedSeconds));
        Assert.Equal(seconds[1] + (2 * seconds[2]), plan.EstimatedSeconds, 1e-12);
        Assert.All(plan.Jobs, job => Assert.Null(job.ExpectedEffect));
    }

    [Fact]
    public void Stages_keep_the_order_asked_for_and_come_once() =>
        Assert.Equal(["third", "first"], Build("order", "third", "first", "third").Jobs.Select(job => job.Stage));

    [Fact]
    public void Paths_are_relative_to_the_plan_so_that_it_can_be_moved_with_its_run()
    {
        var effects = run.Write("relative.json", run.Effects(("second", [.1, .2])));
        var plan = PlanBuilder.Build(run.Folder, run.At("plans", "deep", "a.json"), PlanBasis.Of(run.Folder, ["second"], effects));
        Assert.Equal(Path.Combine("..", "..", "run"), plan.Run);
        Assert.Equal(Path.Combine("..", "..", "made-up", "relative.json"), plan.EffectsPath);
        Assert.Equal(Path.Combine("a.runs", "skip-second"), plan.Jobs[0].Run);
        Assert.Equal(run.Manifest.RunId, plan.RunId);
    }

    [Fact]
    public void A_job_says_what_effect_it_is_expected_to_confirm()
    {
        var effects = run.Write("expected.json", run.Effects(("second", [-1, 2, 5])));
        var plan = PlanBuilder.Build(run.Folder, run.At("plans", "expected.json"), PlanBasis.Of(run.Folder, ["second", "first"], effects));
        var expected = plan.Jobs[0].ExpectedEffect!;
        Assert.Equal((2, -1, 5, "log-likelihood", "midpoint"),
            (expected.Estimate, expected.Low, expected.High, expected.Metric, expected.Gradient));
        Assert.Equal(("replay-midpoint", TrustGrade.Medium), ($"{expected.Estimator}", expected.Trust));
        Assert.Contains("expected.json (log-likelihood on probe, replay-midpoint, trust unknown), as asked for", plan.Choice);
        Assert.Null(plan.Jobs[1].ExpectedEffect);
        Assert.Equal(run.At("probe.yaml"), plan.ProbePath);
    }

    [Fact]
    public void An_unknown_stage_is_refused_with_a_suggestion()
    {
        var refused = Assert.Throws<TrainingException>(() => Build("unknown", "secnd"));
        Assert.Equal(ErrorKind.Request, refused.Kind);
        Assert.Contains("did you mean 'second'?", refused.Message);
    }

    [Theory]
    [InlineData(RunState.Running)]
    [InlineData(RunState.Stopped)]
    public void An_unfinished_run_is_refused(RunState state)
    {
        var folder = RunFolder.Create(run.At($"unfinished-{state}"));
        folder.WriteManifest(run.Manifest with { State = state });
        var refused = Assert.Throws<TrainingException>(() => PlanBuilder.Build(folder, run.At("plan.json"), new PlanBasis(["second"], null, "made up")));
        Assert.Equal(ErrorKind.Input, refused.Kind);
        Assert.Contains("finish it with resumed training", refused.Message);
    }

    private PlanArtifact Build(string name, params string[] skip) =>
        PlanBuilder.Build(run.Folder, run.At("plans", name + ".json"), new PlanBasis(skip, null, "made up"));
}
