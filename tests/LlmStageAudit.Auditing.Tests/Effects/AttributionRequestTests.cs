using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Tests;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Auditing.Tests.Effects;

/// <summary>What a request asks for, on a run of 6 + 4 + 6 steps.</summary>
public sealed class AttributionRequestTests : IDisposable
{
    private readonly RetrainableTrajectory _trajectory = SmallRun.Train(SmallRun.Sgd, cubic: 0);

    [Fact]
    public void One_counterfactual_per_stage_by_default()
    {
        var counterfactuals = new AttributionRequest().Counterfactuals(_trajectory);
        Assert.Equal(["first", "second", "third"], counterfactuals.Select(counterfactual => counterfactual.Name));
        Assert.Equal([0, 1, 2], counterfactuals.Select(counterfactual => counterfactual.FirstStage));
        Assert.All(counterfactuals, counterfactual => Assert.True(counterfactual.SkipsStage(counterfactual.FirstStage)));
        Assert.False(counterfactuals[0].SkipsStage(1));
        Assert.False(counterfactuals[0].SkipsStep(1, 1));
    }

    [Fact]
    public void Treatment_steps_skips_each_stages_updates()
    {
        var counterfactuals = new AttributionRequest { Treatment = new Treatment.Steps() }.Counterfactuals(_trajectory);
        Assert.Equal([6, 4, 6], counterfactuals.Select((counterfactual, stage) => counterfactual.Skipped[stage]!.Count));
        Assert.All(counterfactuals, counterfactual => Assert.False(counterfactual.SkipsStage(counterfactual.FirstStage)));
    }

    [Fact]
    public void Level_step_asks_for_every_step_of_the_run()
    {
        var counterfactuals = new AttributionRequest { Treatment = Treatment.Of("step") }.Counterfactuals(_trajectory);
        Assert.Equal(Enumerable.Range(1, 16).Select(step => $"step {step}"), counterfactuals.Select(counterfactual => counterfactual.Name));
        Assert.Equal([1], counterfactuals[6].Skipped[1]!); // the run's step 7 is the second stage's first
        Assert.Equal([6], counterfactuals[15].Skipped[2]!);
        Assert.All(counterfactuals, counterfactual => Assert.Single(counterfactual.Skipped));
    }

    [Fact]
    public void Steps_are_numbered_through_the_run_and_may_cross_stages()
    {
        var counterfactuals = new AttributionRequest { Treatment = new Treatment.Steps("3, 5-8", "16") }.Counterfactuals(_trajectory);
        Assert.Equal("steps 3,5-8", counterfactuals[0].Name);
        Assert.Equal([3, 5, 6], counterfactuals[0].Skipped[0]!.Order());
        Assert.Equal([1, 2], counterfactuals[0].Skipped[1]!.Order());
        Assert.Equal(2, counterfactuals[0].Skipped.Count);
        Assert.Equal("step 16", counterfactuals[1].Name);
        Assert.Equal([6], counterfactuals[1].Skipped[2]!);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("17")]
    [InlineData("3-17")]
    [InlineData("5-3")]
    [InlineData("1-2-3")]
    [InlineData("3,")]
    [InlineData("-3")]
    [InlineData("+3")]
    [InlineData("2.5")]
    [InlineData("1e1")]
    [InlineData("first")]
    [InlineData("99999999999")]
    public void Step_sets_that_are_none_are_quoted(string steps)
    {
        var error = Assert.Throws<AttributionException>(
            () => new AttributionRequest { Treatment = new Treatment.Steps(steps) }.Counterfactuals(_trajectory));
        Assert.StartsWith($"the steps: '{steps}'; expected step numbers or ranges within 1-16", error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.Request, error.Kind);
    }

    [Fact]
    public void Options_that_do_not_go_together_are_refused()
    {
        void Refused(string setting, string estimator, string level, int folds = 1)
        {
            var request = new AttributionRequest { Estimator = Estimator.Parse(estimator), Treatment = Treatment.Of(level), Folds = folds };
            var error = Assert.Throws<ConfigurationException>(() => request.Counterfactuals(_trajectory));
            Assert.StartsWith(setting, error.Message, StringComparison.Ordinal);
        }

        Refused("the level", "exact", "batch");
        Refused("the level", "aa-score", "example");
        Refused("the curvature", "adjoint-layer-wise", "step");
        Refused("the readout", "adjoint-quadratic", "stage");
        Refused("the readout", "adjoint-quadratic", "example");
        Refused("the folds", "exact", "step", folds: 2);
        Refused("the folds", "adjoint", "step", folds: 0);
    }

    [Fact]
    public void Results_are_filed_under_what_was_asked()
    {
        Assert.Equal("replay-exact.stage", new AttributionRequest().Id);
        Assert.Equal(
            "replay-sampled-0.25.steps",
            new AttributionRequest { Estimator = Estimator.Parse("sampled"), Treatment = new Treatment.Steps() }.Id);
        Assert.Equal("replay-linear.step", new AttributionRequest { Estimator = Estimator.Parse("linear"), Treatment = Treatment.Of("step") }.Id);
        Assert.Equal("replay-exact.steps-3_5-8-16", new AttributionRequest { Treatment = new Treatment.Steps("3,5-8", "16") }.Id);
    }

    public void Dispose() => _trajectory.Dispose();
}
