using System.Text.Json;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Records.Comparisons;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Cli.Tests.Walk;

[Collection(AuditCollection.Name)]
public sealed class CompareTests(AuditFixture audit)
{
    [Fact]
    public void By_default_every_estimator_is_held_against_retraining_and_the_result_is_filed()
    {
        var said = Compare();
        Assert.Equal("stage", said.Text("level"));
        Assert.Equal(12, said.Count("trainingSteps"));
        Assert.True(said.Number("trainingSeconds") > 0);
        var estimators = said.List("estimators");
        Assert.Equal(
            [
                "replay-exact", "replay-recorded", "replay-linear", "replay-midpoint", "replay-sampled-0.1", "replay-sampled-0.5",
                "adjoint", "aa-score", "aa-score-layer-wise", "dvemb", "tracin",
            ],
            estimators.Texts("estimator"));
        foreach (var estimator in estimators)
        {
            Assert.Equal(TinyWorkspace.Stages, estimator.List("effects").Texts("stage"));
            Assert.All(estimator.List("effects"), effect => Assert.InRange(effect.Number("pearson"), -1, 1.000001));
            Assert.True(estimator.Number("seconds") > 0);
        }

        // Four steps follow the first stage twice, and the second once.
        Assert.Equal(1, estimators[0].Number("trainings"));
        Assert.Equal(0, estimators[0].Number("relativeError"));
        Assert.Equal(0, estimators[1].Number("trainings"));
        var filed = ArtifactJson.Read<ComparisonArtifact>(said.Text("file"));
        Assert.Equal(audit.At("sgd-run", "comparisons", "identity.stage.json"), said.Text("file"));
        Assert.Equal(estimators.Texts("estimator"), filed.Estimators.Select(estimator => $"{estimator.Estimator}"));
        Assert.Equal("log-likelihood", filed.Metric);
    }

    [Fact]
    public void The_figures_are_those_of_attribute_and_verify()
    {
        var compared = Compare("--estimators", "recorded").List("estimators")[1].List("effects");
        var verified = CommandLine.Json(
            "verify", audit.RetrainedPlan("sgd", "recorded"), "--effects", audit.EffectsFile("sgd", "recorded")).List("stages");
        foreach (var (effect, stage) in compared.Zip(verified))
        {
            foreach (var figure in new[] { "predicted", "measured", "pearson", "spearman", "relativeError" })
                Assert.Equal(stage.Number(figure), effect.Number(figure), 1e-12);
        }
    }

    [Fact]
    public void Single_steps_are_skipped_and_swept()
    {
        var said = Compare("--level", "step", "--sample", "5");
        var estimators = said.List("estimators");
        Assert.Equal(["replay-exact", "adjoint", "adjoint-quadratic"], estimators.Texts("estimator"));
        Assert.EndsWith("identity.step.json", said.Text("file"));
        var swept = estimators[1].List("effects");
        Assert.Equal(5, swept.Length);
        Assert.Equal(estimators[0].List("effects").Numbers("predicted"), swept.Numbers("measured"));
        var scores = CommandLine.Json("attribute", audit.Run, "--probe", audit.Probe, "--method", "adjoint", "--level", "step")
            .List("effects").ToDictionary(effect => effect.Text("stage"), effect => effect.Number("estimate"));
        Assert.All(swept, effect => Assert.Equal(scores[effect.Text("stage")], effect.Number("predicted")));
        var skip = swept[2];
        var skipped = CommandLine.Json(
            "attribute", audit.Run, "--probe", audit.Probe, "--treatment", "steps", "--steps", skip.Text("stage")["step ".Length..]);
        Assert.Equal(skipped.List("effects")[0].Number("estimate"), skip.Number("measured"), 1e-6);
    }

    [Fact]
    public void Without_json_there_are_tables_and_the_notes_stay_off_standard_output()
    {
        var outcome = CommandLine.Succeed("compare", audit.Run, "--probe", audit.Probe, "--estimators", "recorded, tracin");
        Assert.Contains("Exact replay is retraining: the same bits.", outcome.Output);
        foreach (var text in new[] { "replay-exact", "replay-recorded", "tracin", "Pearson", "Spearman", "Relative error", "trainings" })
            Assert.Contains(text, outcome.Output);
        Assert.All(TinyWorkspace.Stages, stage => Assert.Contains(stage, outcome.Output));
        Assert.DoesNotContain("NaN", outcome.Output);
        Assert.Contains("filed in", outcome.Error);
        var steps = CommandLine.Succeed("compare", audit.Run, "--probe", audit.Probe, "--level", "step", "--sample", "1");
        Assert.Contains("Agreement over 1 single steps", steps.Output);
        // One step has no correlation.
        Assert.Matches("adjoint +- +- +[0-9]", steps.Output);
    }

    [Theory]
    [InlineData("--estimators", "recorded,midpont", "'midpont'; expected recorded, linear")]
    [InlineData("--estimators", "recorded,midpont", "did you mean 'midpoint'?")]
    [InlineData("--estimators", "sampled-2", "a share above 0, at most 1")]
    [InlineData("--level", "stages", "--level: 'stages'; expected stage or step; did you mean 'stage'?")]
    [InlineData("--sample", "3", "--sample: at level stage every stage is compared; add --level step")]
    public void Options_that_mean_nothing_are_named(string option, string value, string mention)
    {
        var outcome = CommandLine.Run("compare", audit.Run, "--probe", audit.Probe, option, value);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Empty(outcome.Output);
        Assert.Contains(mention, Assert.Single(outcome.ErrorLines));
    }

    [Fact]
    public void A_sample_needs_a_step_and_a_sweep_a_derivative()
    {
        var none = CommandLine.Run("compare", audit.Run, "--probe", audit.Probe, "--level", "step", "--sample", "0");
        Assert.Equal(2, none.ExitCode);
        Assert.Contains("--sample: '0'; expected a number of steps, at least 1", Assert.Single(none.ErrorLines));

        File.WriteAllText(audit.At("auc.yaml"), TinyWorkspace.Probe.Replace("log-likelihood", "subgroup-auc", StringComparison.Ordinal));
        var auc = CommandLine.Run("compare", audit.Run, "--probe", audit.At("auc.yaml"), "--level", "step");
        Assert.Equal(2, auc.ExitCode);
        Assert.Contains("metric subgroup-auc orders examples and has no gradient", Assert.Single(auc.ErrorLines));
    }

    [Fact]
    public void A_group_metric_is_compared_by_the_log_likelihood_of_the_label()
    {
        var auc = TinyWorkspace.Probe.Replace("log-likelihood", "subgroup-auc", StringComparison.Ordinal);
        File.WriteAllText(audit.At("auc-stage.yaml"), auc);
        string[] args = ["compare", audit.Run, "--estimators", "recorded"];
        var said = CommandLine.Json([.. args, "--probe", audit.At("auc-stage.yaml")]);
        Assert.Equal("log-likelihood", said.Text("metric"));
        var expected = CommandLine.Json([.. args, "--probe", audit.Probe]).List("estimators")[1];
        Assert.Equal(expected.Number("pearson"), said.List("estimators")[1].Number("pearson"));
    }

    [Fact]
    public void A_probe_that_is_not_there_is_named()
    {
        var outcome = CommandLine.Run("compare", audit.Run, "--probe", audit.At("nowhere.yaml"));
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("nowhere.yaml", Assert.Single(outcome.ErrorLines));
    }

    private JsonElement Compare(params string[] options) => CommandLine.Json(["compare", audit.Run, "--probe", audit.Probe, .. options]);
}
