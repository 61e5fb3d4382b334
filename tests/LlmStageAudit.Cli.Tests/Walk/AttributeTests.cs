using System.Text.Json;
using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Walk;

[Collection(AuditCollection.Name)]
public sealed class AttributeTests(AuditFixture audit)
{
    [Theory]
    [InlineData("exact")]
    [InlineData("recorded")]
    [InlineData("sampled")]
    public void Every_gradient_source_says_the_effects_of_all_stages(string gradient)
    {
        var said = Attribute("--gradient", gradient, "--per-example");
        Assert.True(said.Number("attributeSeconds") > 0);
        Assert.Equal(gradient, said.Text("gradient"));
        var effects = said.List("effects");
        Assert.Equal(TinyWorkspace.Stages, effects.Texts("stage"));
        foreach (var effect in effects)
        {
            Assert.Equal("log-likelihood", effect.Text("metric"));
            var known = effect.Text("stage") == TinyWorkspace.Stages[^1] ? ["exact"] : new[] { "high", "medium", "low", "unknown" };
            Assert.Contains(effect.Text("trust"), gradient == "exact" ? ["exact"] : known);
            Assert.NotEmpty(effect.GetProperty("evidence").Text("reason"));
            if (effect.Text("trust") is "low" or "unknown")
                Assert.Contains("stageaudit plan", effect.GetProperty("evidence").Text("settle"), StringComparison.Ordinal);
            Assert.InRange(effect.Number("estimate"), effect.Number("low"), effect.Number("high"));
            var examples = effect.List("perExample");
            Assert.Equal(Enumerable.Range(1, TinyWorkspace.ProbeRows).Select(i => $"probe-{i}"), examples.Texts("id"));
            Assert.Equal(examples.Numbers("estimate").Average(), effect.Number("estimate"), 1e-12);
        }

        Assert.True(File.Exists(said.Text("file")));
    }

    [Fact]
    public void Per_example_values_are_left_out_unless_asked_for() =>
        Assert.All(Attribute("--gradient", "exact").List("effects"), effect => Assert.False(effect.TryGetProperty("perExample", out _)));

    [Fact]
    public void The_whole_batch_sampled_is_exact()
    {
        var exact = Attribute("--gradient", "exact", "--per-example").List("effects");
        var sampled = Attribute("--gradient", "sampled", "--rho", "1", "--per-example").List("effects");
        foreach (var (left, right) in exact.Zip(sampled)) Assert.Equal(
            left.List("perExample").Numbers("estimate"), right.List("perExample").Numbers("estimate"));
    }

    [Theory]
    [InlineData("adjoint")]
    [InlineData("aa-score")]
    [InlineData("dvemb")]
    [InlineData("tracin")]
    public void Every_method_says_the_effects_of_all_stages(string method)
    {
        var said = Attribute("--method", method, "--per-example");
        Assert.Equal(method, said.Text("method"));
        Assert.Equal(TinyWorkspace.Stages, said.List("effects").Texts("stage"));
        Assert.All(said.List("effects"), effect =>
        {
            Assert.Equal(effect.List("perExample").Numbers("estimate").Average(), effect.Number("estimate"), 1e-9);
            Assert.Contains(
                effect.Text("trust"), method == "adjoint" ? new[] { "exact", "high", "medium", "low", "unknown" } : ["unknown"]);
        });
    }

    [Fact]
    public void A_sweep_scores_steps_batches_and_examples()
    {
        var steps = Attribute("--method", "adjoint", "--level", "step").List("effects");
        Assert.Equal(Enumerable.Range(1, steps.Length), steps.Select(step => (int)step.Number("firstStep")));
        var batches = Attribute("--method", "adjoint", "--level", "batch").List("effects");
        Assert.Equal(steps.Length, batches.Length);
        var examples = Attribute("--method", "adjoint", "--level", "example").List("effects");
        Assert.Equal(
            batches.Numbers("estimate").Sum(),
            examples.Numbers("estimate").Sum(),
            1e-4 * batches.Numbers("estimate").Sum(Math.Abs));
        Assert.All(examples, example => Assert.NotEmpty(example.Text("example")));
    }

    /// <summary>The effects of steps against really skipping them: nearer with the probe's bend than without.</summary>
    [Fact]
    public void A_quadratic_readout_takes_in_the_bend_of_the_probe()
    {
        var linear = Attribute("--method", "adjoint", "--level", "step").List("effects").Numbers("estimate").ToArray();
        var quadratic = Attribute("--method", "adjoint", "--level", "step", "--readout", "quadratic")
            .List("effects")
            .Numbers("estimate")
            .ToArray();
        var steps = Enumerable.Range(1, linear.Length).Select(step => $"{step}").ToArray();
        var skipped = Attribute(["--treatment", "steps", .. steps.SelectMany(step => new[] { "--steps", step })])
            .List("effects")
            .Numbers("estimate")
            .ToArray();
        double Off(double[] scores) => Math.Sqrt(scores.Zip(skipped, (score, truth) => (score - truth) * (score - truth)).Sum());
        Assert.True(Off(quadratic) < Off(linear), $"{Off(quadratic)} with the bend, {Off(linear)} without");
    }

    [Theory]
    [InlineData("--readout", "quadratic")]
    [InlineData("--method", "adjoint", "--readout", "quadratic")]
    [InlineData("--method", "adjoint", "--level", "example", "--readout", "quadratic")]
    [InlineData("--method", "adjoint", "--level", "step", "--readout", "cubic")]
    [InlineData("--folds", "5")]
    [InlineData("--method", "adjoint", "--level", "step", "--folds", "0")]
    [InlineData("--method", "adjoint", "--level", "step", "--folds", "21")]
    public void A_readout_or_folds_that_do_not_fit_are_refused(params string[] options)
    {
        var outcome = CommandLine.Run(["attribute", audit.Run, "--probe", audit.Probe, .. options]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(options.Contains("--folds") ? "--folds" : "--readout", outcome.Error);
    }

    [Fact]
    public void Folds_give_steps_an_interval()
    {
        var steps = Attribute("--method", "adjoint", "--level", "step", "--folds", "4").List("effects");
        Assert.All(steps, step => Assert.InRange(step.Number("estimate"), step.Number("low"), step.Number("high")));
    }

    [Fact]
    public void Sets_of_steps_are_left_out_together_where_asked()
    {
        var said = Attribute("--treatment", "steps", "--steps", "2,4-5", "--steps", "12");
        Assert.Equal(["steps 2,4-5", "step 12"], said.List("effects").Texts("stage"));
        Assert.All(said.List("effects").Numbers("estimate"), estimate => Assert.NotEqual(0, estimate));
    }

    [Fact]
    public void Each_stages_steps_are_left_out_by_default_and_the_last_stage_never_matters_how()
    {
        var steps = Attribute("--treatment", "steps").List("effects");
        Assert.Equal(TinyWorkspace.Stages, steps.Texts("stage"));
        // Nothing follows the last stage, so a job that never ran and a job without updates are the same model.
        Assert.Equal(Attribute().List("effects")[2].Number("estimate"), steps[2].Number("estimate"));
    }

    [Fact]
    public void At_level_step_there_is_one_effect_per_step() => Assert.Equal(
        Enumerable.Range(1, 12).Select(step => $"step {step}"),
        Attribute("--level", "step", "--gradient", "recorded").List("effects").Texts("stage"));

    /// <summary>Of steps the adjoint screens and exact replay certifies the top; of batches and examples a sweep scores all.</summary>
    [Fact]
    public void Below_stages_the_adjoint_is_the_default_and_its_top_is_certified()
    {
        var steps = Attribute("--level", "step");
        var certification = steps.GetProperty("certification");
        Assert.Equal(("certified", 5), (steps.Text("method"), certification.Number("budgetTrainings")));
        Assert.StartsWith("adjoint", certification.Text("screen"));
        var settled = certification.List("settled").Select(name => name.GetString()!).ToHashSet();
        Assert.Contains(certification.List("head")[0].GetString()!, settled);
        Assert.All(steps.List("effects"), effect => Assert.Equal(settled.Contains(effect.Text("stage")), effect.Text("trust") == "exact"));
        Assert.InRange(certification.Number("spentTrainings"), 2.5, 5);
        foreach (var level in new[] { "batch", "example" })
        {
            var swept = Attribute("--level", level);
            Assert.Equal("adjoint", swept.Text("method"));
            Assert.All(swept.List("effects"), effect => Assert.Equal("unknown", effect.Text("trust")));
        }

        Assert.Equal("adjoint", Attribute("--level", "step", "--readout", "quadratic").Text("method"));
        Assert.Equal("exact", Attribute("--level", "step", "--gradient", "exact").Text("gradient"));
    }

    [Fact]
    public void Exported_adapters_evaluate_to_the_scores_of_the_counterfactual()
    {
        var said = Attribute("--gradient", "recorded", "--per-example", "--export-adapters", audit.At("exported"));
        var filed = JsonReading.ReadFile(said.Text("file")).List("effects");
        var observed = CommandLine.Json("evaluate", audit.Run, "--probe", audit.Probe, "--per-example").List("perExample")
            .Numbers("logLikelihood");
        foreach (var (effect, record) in said.List("effects").Zip(filed))
        {
            var folder = effect.Text("exportedAdapter");
            Assert.Equal(audit.At("exported", "without-" + effect.Text("stage")), folder);
            var scores = CommandLine.Json("evaluate", "--model", audit.Model, "--adapter", folder, "--probe", audit.Probe, "--per-example")
                .List("perExample").Numbers("logLikelihood");
            Assert.Equal(record.GetProperty("counterfactual").List("examples").Numbers("logLikelihood"), scores);
            Assert.Equal(observed.Zip(scores, (with, without) => with - without), effect.List("perExample").Numbers("estimate"));
        }
    }

    [Theory]
    [InlineData("--gradient", "exakt", "--gradient")]
    [InlineData("--method", "magic", "--method")]
    [InlineData("--level", "token", "--level")]
    [InlineData("--treatment", "none", "--treatment")]
    [InlineData("--steps", "1", "--treatment steps")]
    public void Options_that_mean_nothing_are_named(string option, string value, string mention)
    {
        var outcome = CommandLine.Run("attribute", audit.Run, "--probe", audit.Probe, option, value);
        Assert.Equal(2, outcome.ExitCode);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.Contains(mention, line);
        Assert.Contains("expected", line);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("13")]
    [InlineData("5-3")]
    [InlineData("1-999999999999999999")]
    [InlineData("x")]
    public void Steps_outside_the_run_are_refused(string steps)
    {
        var outcome = CommandLine.Run("attribute", audit.Run, "--probe", audit.Probe, "--treatment", "steps", "--steps", steps);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("within 1-12", Assert.Single(outcome.ErrorLines));
    }

    private JsonElement Attribute(params string[] options) =>
        CommandLine.Json(["attribute", audit.Run, "--probe", audit.Probe, .. options]);
}
