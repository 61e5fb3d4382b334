using System.Text.Json;
using System.Text.RegularExpressions;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Reporting.Findings;

namespace LlmStageAudit.Reporting.Tests;

public sealed partial class HtmlReportAnswerTests
{
    public HtmlReportAnswerTests() => Setting.Spelling = SettingFlags.All;

    [Fact]
    public void Answer_names_the_largest_effect_with_sign_unit_and_interval()
    {
        var answer = AnswerOf(With(("a", 0.5, 0.4, 0.6), ("b", -0.75, -0.8, -0.7)));
        Assert.Equal("Stage b lowered log-likelihood most: −0.7500 nats (interval −0.8000 to −0.7000).", answer);
    }

    [Fact]
    public void Larger_estimate_whose_interval_includes_zero_does_not_answer()
    {
        var inputs = With(("certain", 0.2, 0.1, 0.3), ("wild", 4, -1, 9));
        Assert.StartsWith("Stage certain raised", AnswerOf(inputs), StringComparison.Ordinal);
        Assert.Contains("The estimate of wild is larger, but its interval includes zero.", TextOf(inputs), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_distinguishable_is_said() =>
        Assert.StartsWith(
            "No stage changed log-likelihood distinguishably from zero: the largest estimate is +0.2000 nats",
            AnswerOf(With(("a", 0.2, -0.1, 0.5), ("b", 0.1, -0.1, 0.3))),
            StringComparison.Ordinal);

    [Fact]
    public void Nothing_computable_is_said() =>
        Assert.Equal(
            "No stage has an effect on log-likelihood that could be computed.", AnswerOf(With(("a", double.NaN, double.NaN, double.NaN))));

    [Fact]
    public void Retrained_value_stands_beside_the_estimate()
    {
        var inputs = SampleAudit.Inputs();
        Assert.Contains("Retraining without it measured +0.2201 nats on 120 probe rows.", TextOf(inputs), StringComparison.Ordinal);
        var text = TextOf(inputs with { Effects = [inputs.Effects[0] with { Metric = "margin" }] });
        Assert.Contains("It has not been retrained without.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Retraining_stands_beside_another_estimate_of_the_same_question_too()
    {
        var inputs = SampleAudit.Inputs();
        var exact = Shifted(inputs.Effects[0]) with { Estimator = Estimator.Exact };
        var text = TextOf(inputs with { Effects = [inputs.Effects[0], exact] });
        Assert.Contains("Stage religion raised log-likelihood most: +0.2238 nats", text, StringComparison.Ordinal);
        Assert.Contains("Retraining without it measured +0.2201 nats", text, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_missing_names_the_command_that_makes_it()
    {
        var text = TextOf(new ReportInputs { Run = SampleAudit.Run(name => name) });
        Assert.Contains("stageaudit attribute RUN --probe /probes/identity.yaml", text, StringComparison.Ordinal);
        Assert.Contains("stageaudit rank RUN --probe /probes/identity.yaml --confounder COLUMN", text, StringComparison.Ordinal);
        Assert.Contains("stageaudit plan RUN --skip STAGE --out plan.json", text, StringComparison.Ordinal);
        Assert.Contains("stageaudit retrain plan.json", text, StringComparison.Ordinal);
        Assert.Contains("stageaudit verify plan.json", text, StringComparison.Ordinal);
        Assert.Contains("Missing: group metrics.", text, StringComparison.Ordinal);
        Assert.Contains("Missing: logged steps.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Pasted_commands_quote_what_a_shell_would_read()
    {
        var inputs = SampleAudit.Inputs(name => name + "; rm 'x'");
        var text = TextOf(inputs with { Verifications = [] });
        Assert.Contains("--skip 'religion; rm '\\''x'\\''' --out plan.json", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Artifacts_of_another_run_are_left_out_and_named()
    {
        var inputs = SampleAudit.Inputs();
        var text = TextOf(inputs with { Effects = [inputs.Effects[0] with { RunId = "other" }] });
        Assert.Contains("Effects of run other left out", text, StringComparison.Ordinal);
        Assert.Contains("Not answered yet", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(RunState.Running, "The run had not ended")]
    [InlineData(RunState.Stopped, "The run was stopped")]
    public void Unfinished_run_is_said_first(RunState state, string expected)
    {
        var inputs = SampleAudit.Inputs();
        Assert.Contains(expected, TextOf(inputs with { Run = inputs.Run with { State = state } }), StringComparison.Ordinal);
        Assert.DoesNotContain(expected, TextOf(inputs), StringComparison.Ordinal);
    }

    [Fact]
    public void Failed_gate_is_said_first()
    {
        var inputs = SampleAudit.Inputs();
        var text = TextOf(inputs with { Verifications = [inputs.Verifications[0] with { Passed = false }] });
        Assert.Contains("A verification did not pass its gate: Pearson of at least 0.9000 was asked for.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Group_changes_are_observed_less_counterfactual()
    {
        // Christian BPSN AUC: 0.6931 as trained, 0.6931 + 0.2143 / 2 without the stage.
        Assert.Contains("BPSN AUC 0.693 (stage changed it by ▼ −0.11)", TextOf(SampleAudit.Inputs()), StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_metrics_are_shown_by_their_key()
    {
        var inputs = SampleAudit.Inputs();
        var observed = inputs.Effects[0].Observed with { Metrics = new Dictionary<string, double> { ["novelMetric"] = 0.12345 } };
        var text = TextOf(inputs with { Effects = [inputs.Effects[0] with { Observed = observed }] });
        Assert.Contains("novelMetric", text, StringComparison.Ordinal);
        Assert.Contains("0.1235", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_metric_and_every_estimator_is_explained()
    {
        var inputs = SampleAudit.Inputs();
        Assert.All(Metric.Names, metric => Assert.NotNull(MetricText.Meaning(metric)));
        Estimator[] estimators =
            [.. GradientSource.Names.Concat(Estimator.Methods).Select(Estimator.Parse)];
        Assert.All(estimators, estimator => Assert.DoesNotContain(
            "As named by the tool", TextOf(inputs with { Effects = [inputs.Effects[0] with { Estimator = estimator }] }), StringComparison.Ordinal));
    }

    [Fact]
    public void Embedded_numbers_are_those_of_the_inputs()
    {
        var inputs = SampleAudit.Inputs();
        var page = HtmlReport.Render(inputs);
        var start = page.IndexOf("id=\"report-data\">", StringComparison.Ordinal) + "id=\"report-data\">".Length;
        using var json = JsonDocument.Parse(page[start..page.IndexOf("</script", start, StringComparison.Ordinal)]);
        var effects = json.RootElement.GetProperty("effects")[0].GetProperty("effects");
        Assert.Equal(
            inputs.Effects[0].Effects.Select(effect => effect.Estimate).Order(),
            effects.EnumerateArray().Select(effect => effect.GetProperty("estimate").GetDouble()).Order());
        Assert.Equal(inputs.Verifications[0].Stages[0].Measured, effects[0].GetProperty("measured").GetDouble());
    }

    private static ReportInputs With(params (string Stage, double Estimate, double Low, double High)[] rows)
    {
        var inputs = SampleAudit.Inputs();
        var effects = rows.Select(row => new StageEffect
        {
            Stage = row.Stage, Metric = "log-likelihood", Estimate = row.Estimate, Low = row.Low, High = row.High, Trust = TrustGrade.Low,
        });
        return inputs with { Effects = [inputs.Effects[0] with { Effects = effects.ToArray() }], Verifications = [], Rankings = [] };
    }

    private static EffectsArtifact Shifted(EffectsArtifact effects) => effects with
    {
        Effects = effects.Effects.Select(effect => effect with { Estimate = effect.Estimate + 0.01, Trust = TrustGrade.Exact }).ToArray(),
    };

    private static string AnswerOf(ReportInputs inputs) =>
        Strip(AnswerParagraph().Match(HtmlReport.Render(inputs)).Groups[1].Value);

    private static string TextOf(ReportInputs inputs) => Strip(HtmlReport.Render(inputs));

    private static string Strip(string markup) => System.Net.WebUtility.HtmlDecode(Tag().Replace(markup, string.Empty));

    [GeneratedRegex("<p class=\"answer[^\"]*\">(.*?)</p>", RegexOptions.Singleline)]
    private static partial Regex AnswerParagraph();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();
}
