using System.Net;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Reporting.Tests;

public sealed partial class HtmlReportTrustTests
{
    public HtmlReportTrustTests() => Setting.Spelling = SettingFlags.All;

    [Fact]
    public void Panel_gives_each_grade_with_its_evidence()
    {
        var rows = TableRows(HtmlReport.Render(SampleAudit.Inputs()), "What the trust in the effects on log-likelihood rests on");
        string[] gender = ["gender", "low9 spot-checked steps foretell an error", "53.5 %", "9.36 %", "26.1 %", "0.613", "3"];
        Assert.Contains(rows, row => row.SequenceEqual(gender));
        string[] steps = ["all 110 steps", "medium3 steps were skipped for a while with true gradients", "12.3 %", "–", "–", "–", "3"];
        Assert.Contains(rows, row => row.SequenceEqual(steps));
    }

    [Fact]
    public void Low_trust_comes_with_the_command_that_settles_it_and_its_cost()
    {
        var text = TextOf(HtmlReport.Render(SampleAudit.Inputs()));
        Assert.Contains(
            "This would settle the effect of gender, at the cost of 80.00 gradients of one batch:", text, StringComparison.Ordinal);
        Assert.Contains(
            "stageaudit plan runs/identity --skip gender --out plan.json && stageaudit retrain plan.json", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Answer_says_how_far_to_trust_it()
    {
        var inputs = SampleAudit.Inputs();
        Assert.Contains(
            "Trust: verified, since replay-midpoint of this run, treatment stage, held against retraining on log-likelihood over 120 probe "
                + "rows: 4.12 % off.",
            TextOf(HtmlReport.Render(inputs)), StringComparison.Ordinal);
        Assert.Contains(
            "Trust: high, since 9 spot-checked steps foretell an error.",
            TextOf(HtmlReport.Render(inputs with { Verifications = [] })), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_known_is_drawn_as_an_outline()
    {
        var inputs = SampleAudit.Inputs();
        var old = inputs.Effects[0] with
        {
            Effects = inputs.Effects[0].Effects.Select(effect => effect with { Trust = TrustGrade.Unknown, Evidence = null }).ToArray(),
        };
        var page = HtmlReport.Render(inputs with { Effects = [old], Verifications = [] });
        Assert.Contains("The file says no more than the grades: unknown (3 stages).", TextOf(page), StringComparison.Ordinal);
        Assert.DoesNotContain("Gradient mismatch", page, StringComparison.Ordinal);
        Assert.Contains("hollow-raised", page[page.IndexOf("<svg", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    /// <summary>Every field that sets one result apart from the one that was retrained, one at a time.</summary>
    [Theory]
    [InlineData("estimator")]
    [InlineData("treatment")]
    [InlineData("metric")]
    [InlineData("probe")]
    [InlineData("version")]
    [InlineData("stage's estimator")]
    public void A_bar_is_verified_by_no_check_of_another_result(string differs)
    {
        var inputs = SampleAudit.Inputs();
        var (effects, verification) = (inputs.Effects[0], inputs.Verifications[0]);
        var other = verification.Predictions!;
        other = differs switch
        {
            "estimator" => other with { Estimator = Estimator.Exact },
            "treatment" => other with { Treatment = new Treatment.Steps() },
            "metric" => other with { Metric = "margin" },
            "probe" => other with { ProbeSha256 = "00" },
            "version" => other with { ToolVersion = "99.0.0" },
            _ => other,
        };
        var stages = verification.Stages.Select(stage => stage with
        {
            Estimator = differs is "estimator" or "stage's estimator" ? Estimator.Exact : stage.Estimator,
        });
        var page = TextOf(HtmlReport.Render(inputs with
        {
            Effects = [effects],
            Verifications = [verification with { Predictions = other, Stages = [.. stages] }],
        }));
        Assert.Contains("Trust: high, since 9 spot-checked steps", page, StringComparison.Ordinal);
        Assert.Contains("0 of 3 stages", page, StringComparison.Ordinal);
        Assert.Contains("2 of 3 stages", TextOf(HtmlReport.Render(inputs with { Effects = [effects] })), StringComparison.Ordinal);
    }

    [Fact]
    public void What_retraining_contradicts_is_not_verified()
    {
        var inputs = SampleAudit.Inputs();
        var off = inputs.Verifications[0] with
        {
            Stages = [.. inputs.Verifications[0].Stages.Select(stage => stage with { RelativeError = 0.31 })],
        };
        var text = TextOf(HtmlReport.Render(inputs with { Verifications = [off] }));
        Assert.Contains("Trust: low, since replay-midpoint of this run", text, StringComparison.Ordinal);
        Assert.Contains("low trust, retrained", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_without_intervals_print_a_dash_and_claim_no_significance()
    {
        var inputs = SampleAudit.Inputs();
        var page = HtmlReport.Render(inputs with { Effects = [inputs.Effects[1]], Verifications = [], Rankings = [] });
        Assert.Contains(
            "Of all steps, step 47 raised log-likelihood most: +0.05210 nats (the mean over the probe alone, without an interval).",
            TextOf(page),
            StringComparison.Ordinal);
        Assert.DoesNotContain("NaN to NaN", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Its interval", page, StringComparison.Ordinal);
        Assert.Contains("--skip STAGE", TextOf(page), StringComparison.Ordinal);
    }

    [Fact]
    public void Steps_are_listed_by_size_with_their_stage_and_rate()
    {
        var rows = TableRows(HtmlReport.Render(SampleAudit.Inputs()), "The 10 steps with the largest effects on log-likelihood");
        Assert.Equal(10, rows.Count);
        Assert.Equal(["step 47", "race", "+0.05210", "–", "8.50\u00A0×\u00A010⁻⁵", "medium"], rows[0]);
        Assert.Equal(["step 12", "religion", "−0.04180"], rows[1].Take(3));
    }

    [Fact]
    public void Batches_have_a_plural_and_a_chart_of_their_own()
    {
        var inputs = SampleAudit.Inputs();
        var page = HtmlReport.Render(inputs with { Effects = [SampleAudit.StepEffects(name => name, "batch")] });
        Assert.Contains("Of all batches, batch of step 47 raised", TextOf(page), StringComparison.Ordinal);
        Assert.Contains("Effect of every batch on log-likelihood, over the run", page, StringComparison.Ordinal);
        Assert.Contains("0 of 110 batches", page, StringComparison.Ordinal);
        Assert.DoesNotContain("batchs", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Examples_are_listed_from_both_ends_by_id()
    {
        var page = HtmlReport.Render(SampleAudit.Inputs());
        var highest = TableRows(page, "The 10 examples with the highest effects on log-likelihood");
        var lowest = TableRows(page, "The 10 examples with the lowest effects on log-likelihood");
        Assert.Equal((10, 10), (highest.Count, lowest.Count));
        Assert.Equal(["race-19", "race", "+0.02000", "▲ raised", "low"], highest[0]);
        Assert.Equal(["race-0", "race", "−0.01800", "▼ lowered", "low"], lowest[0]);
    }

    [Fact]
    public void Few_examples_are_listed_once()
    {
        var inputs = SampleAudit.Inputs();
        var few = inputs.Effects[2] with { Effects = [.. inputs.Effects[2].Effects.Take(12)] };
        var page = HtmlReport.Render(inputs with { Effects = [few] });
        Assert.Equal(10, TableRows(page, "The 10 examples with the highest effects on log-likelihood").Count);
        Assert.Equal(2, TableRows(page, "The 2 examples with the lowest effects on log-likelihood").Count);
    }

    [Fact]
    public void Long_sweeps_keep_the_page_small()
    {
        var inputs = SampleAudit.Inputs();
        var step = inputs.Effects[1].Effects[0];
        var example = inputs.Effects[2].Effects[0];
        var steps = Enumerable.Range(1, 50_000)
            .Select(i => step with { Stage = "step " + i, FirstStep = i, LastStep = i, Estimate = Math.Sin(i) });
        var examples = Enumerable.Range(0, 50_000).Select(i => example with { Example = "row-" + i, Estimate = Math.Cos(i) });
        var page = HtmlReport.Render(inputs with
        {
            Effects = [inputs.Effects[1] with { Effects = [.. steps] }, inputs.Effects[2] with { Effects = [.. examples] }],
        });
        Assert.InRange(page.Length, 1, 600_000);
        Assert.Contains(
            "Of 50,000 steps, the most raising and the most lowering one of each 50 neighbours are drawn.", page, StringComparison.Ordinal);
    }

    private static IReadOnlyList<string[]> TableRows(string page, string caption)
    {
        var document = XDocument.Parse(page["<!DOCTYPE html>\n".Length..]);
        return document.Descendants("table").Where(table => table.Element("caption")!.Value == caption)
            .SelectMany(table => table.Element("tbody")!.Elements("tr"))
            .Select(row => row.Elements().Select(cell => cell.Value).ToArray()).ToArray();
    }

    private static string TextOf(string page) => WebUtility.HtmlDecode(Tag().Replace(page, string.Empty));

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();
}
