using System.Globalization;
using System.Xml.Linq;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Reporting.Charts;
using LlmStageAudit.Reporting.Findings;

namespace LlmStageAudit.Reporting.Tests.Charts;

public sealed class ChartTests
{
    [Fact]
    public void Bars_lie_on_the_side_of_their_sign_and_are_as_long_as_their_effect()
    {
        var svg = Effects(Bar("up", 0.4), Bar("down", -0.2));
        var zero = Number(svg.Descendants().Last(element => Look(element) == "zero"), "x1");
        var up = Shapes(svg, "raised").First();
        var down = Shapes(svg, "lowered").First();
        Assert.Equal(zero, Number(up, "x"), 0.02);
        Assert.Equal(zero, Number(down, "x") + Number(down, "width"), 0.02);
        Assert.Equal(2, Number(up, "width") / Number(down, "width"), 0.01);
    }

    [Fact]
    public void Unverified_bars_are_hatched_and_verified_ones_carry_the_measured_diamond()
    {
        var unverified = Effects(Bar("a", 0.4));
        Assert.Contains(unverified.Descendants(), element => element.Attribute("fill")?.Value == "url(#chart-hatch-raised)");
        Assert.Empty(Shapes(unverified, "diamond"));
        var verified = Effects(Bar("a", 0.4) with { Standing = new(TrustGrade.Verified, Verified([0.4], [0.4]), null) });
        Assert.DoesNotContain(verified.Descendants(), element => element.Attribute("fill")?.Value == "url(#chart-hatch-raised)");
        var bar = Shapes(verified, "raised").First();
        var tip = Number(bar, "x") + Number(bar, "width");
        var corners = Shapes(verified, "diamond").First().Attribute("d")!.Value.TrimEnd('Z').Split('M', 'L')
            .Where(corner => corner.Length > 0).Select(corner => double.Parse(corner.Split(' ')[0], CultureInfo.InvariantCulture));
        Assert.Equal(tip, corners.Average(), 0.02);
    }

    [Fact]
    public void Bars_of_low_trust_are_outlines_and_say_so_in_words()
    {
        var svg = Effects(Bar("a", 0.4, TrustGrade.Low), Bar("b", -0.2));
        var outline = Shapes(svg, "hollow-raised").First();
        var hatched = svg.Descendants().First(element => element.Attribute("fill")?.Value == "url(#chart-hatch-lowered)");
        Assert.Equal(2, Number(outline, "width") / Number(hatched, "width"), 0.01);
        Assert.Contains(svg.Descendants(), element => element.Value == "▲ raised · low trust");
        Assert.Contains(svg.Descendants(), element => element.Value == "▼ lowered · high trust");
    }

    [Fact]
    public void Bars_without_an_interval_have_no_whisker_and_print_a_dash()
    {
        var bar = Bar("a", 0.4);
        var svg = Effects(bar with { Effect = bar.Effect with { Low = null, High = null } });
        Assert.Empty(Shapes(svg, "whisker"));
        Assert.Contains(svg.Descendants(), element => element.Name.LocalName == "text" && element.Value == "–");
        Assert.DoesNotContain("NaN", svg.ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(Shapes(Effects(Bar("a", 0.4)), "whisker"));
    }

    [Fact]
    public void Sign_is_written_beside_every_bar()
    {
        var svg = Effects(Bar("a", 0.4), Bar("b", -0.2), Bar("c", double.NaN));
        var text = string.Join('|', svg.Descendants().Select(element => element.Value));
        Assert.Contains("▲ raised", text, StringComparison.Ordinal);
        Assert.Contains("▼ lowered", text, StringComparison.Ordinal);
        Assert.Contains("× not computable", text, StringComparison.Ordinal);
        Assert.Contains("+0.4000", text, StringComparison.Ordinal);
        Assert.Contains("−0.2000", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Slope_is_least_squares()
    {
        // By hand: means 2 and 11/3; products 5, squares 2.
        Assert.Equal(2.5, ScatterChart.Slope(Verified([1, 2, 3], [1, 4, 6])), 1e-12);
        Assert.Equal(2.5, ScatterChart.Slope(Verified([1, 2, double.NaN, 3], [1, 4, 9, 6])), 1e-12);
        Assert.True(double.IsNaN(ScatterChart.Slope(Verified([1, 1], [1, 2]))));
        Assert.True(double.IsNaN(ScatterChart.Slope(Verified([], []))));
    }

    [Fact]
    public void Scatter_thins_at_even_distances_and_says_so()
    {
        var values = Enumerable.Range(0, 1000).Select(row => row / 7.0).ToArray();
        var chart = Scatter(values, values) with { PointLimit = 100 };
        Assert.Equal(Enumerable.Range(0, 100).Select(index => index * 10 / 7.0), chart.DrawnRows().Select(row => row.Predicted));
        Assert.Contains("n = 1,000 (100 drawn)", chart.Render(), StringComparison.Ordinal);
    }

    [Fact]
    public void Scatter_points_with_equal_sides_lie_on_the_identity_line()
    {
        var svg = XDocument.Parse(Scatter([-1, 0, 2.5], [-1, 0, 2.5]).Render());
        var line = Shapes(svg, "identity").Single();
        var (x1, y1, x2, y2) = (Number(line, "x1"), Number(line, "y1"), Number(line, "x2"), Number(line, "y2"));
        foreach (var point in Shapes(svg, "point"))
        {
            var share = (Number(point, "cx") - x1) / (x2 - x1);
            Assert.Equal(y1 + (share * (y2 - y1)), Number(point, "cy"), 0.05);
        }
    }

    [Fact]
    public void Moving_average_is_corrected_for_its_start_and_passes_over_what_is_no_number()
    {
        Assert.All(LossChart.MovingAverage([3, 3, 3], 0.9), average => Assert.Equal(3, average, 1e-12));
        var averages = LossChart.MovingAverage([1, double.NaN, 2], 0.5);
        Assert.Equal([1, 1, ((0.25 * 1) + (0.5 * 2)) / 0.75], averages);
    }

    [Fact]
    public void Loss_lines_start_anew_with_every_stage()
    {
        var steps = Enumerable.Range(1, 20).Select(step => Step(step, step, 0.1));
        var chart = new LossChart("loss", [.. steps], [new StageBand("first", 1, 10), new StageBand("second", 11, 20)]);
        var svg = XDocument.Parse(chart.Render());
        Assert.Equal(2, Shapes(svg, "smooth").Count(element => element.Name.LocalName == "path"));
        Assert.Contains(svg.Descendants(), element => element.Name.LocalName == "text" && element.Value == "second");
    }

    [Fact]
    public void Thinned_loss_keeps_the_spike()
    {
        var steps = Enumerable.Range(1, 50000).Select(step => Step(step, step == 31337 ? 100 : 1, 0.1));
        var chart = new LossChart("loss", [.. steps], [new StageBand("only", 1, 50000)]);
        Assert.True(chart.IsThinned);
        var path = Shapes(XDocument.Parse(chart.Render()), "raw").Single(element => element.Name.LocalName == "path").Attribute("d")!.Value;
        var heights = path.Split('M', 'L').Where(point => point.Length > 0)
            .Select(point => double.Parse(point.Trim().Split(' ')[1], CultureInfo.InvariantCulture)).ToArray();
        Assert.InRange(heights.Length, 100, 1500);
        Assert.Single(heights, height => height < 100);
    }

    [Fact]
    public void Heat_map_prints_level_change_rows_and_NaN()
    {
        var observed = Scores(
            Group("one", 12, ("auc", 0.75), ("falsePositiveRate", double.NaN), ("positives", 3)), Group("two", 5, ("auc", 0.25)));
        var counterfactual = Scores(Group("one", 12, ("auc", 0.5), ("falsePositiveRate", 0.5)), Group("two", 5, ("auc", 0.5)));
        var chart = new GroupHeatMap("map", "Groups", observed, counterfactual);
        var svg = XDocument.Parse(chart.Render());
        var texts = svg.Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value).ToArray();
        Assert.Contains("0.750", texts);
        Assert.Contains("▲ +0.25", texts);
        Assert.Contains("▼ −0.25", texts);
        Assert.Contains("NaN", texts);
        Assert.Contains("n = 12, 3 positive", texts);
        Assert.Contains("n = 5", texts);
        Assert.Single(svg.Descendants(), element => element.Attribute("fill")?.Value == "url(#map-hatch-missing)");
        Assert.Single(Shapes(svg, "raised cell"));
        Assert.Single(Shapes(svg, "lowered cell"));
    }

    [Fact]
    public void Empty_charts_are_drawings_too()
    {
        XDocument.Parse(new StageEffectChart("a", "t", "m", []).Render());
        XDocument.Parse(new StepEffectChart("e", "t", "m", []).Render());
        XDocument.Parse(Scatter([], []).Render());
        XDocument.Parse(new LossChart("c", [], []).Render());
        XDocument.Parse(new GroupHeatMap("d", "t", Scores(), null).Render());
    }

    internal static StepRecord Step(int step, double lossNats, double learningRate) => new()
    {
        Step = step, StageStep = step, Epoch = 0, LossNats = lossNats, LearningRate = learningRate, GradientNorm = 1, BatchIds = [],
    };

    private static StageFinding Bar(string stage, double estimate, TrustGrade trust = TrustGrade.High) => new(
        new StageEffect
        {
            Stage = stage, Metric = "margin", Estimate = estimate, Low = estimate - 0.05, High = estimate + 0.05, Trust = trust,
        },
        new Standing(trust, null, null));

    private static XDocument Effects(params StageFinding[] bars) =>
        XDocument.Parse(new StageEffectChart("chart", "Effects", "effect", bars).Render());

    private static ScatterChart Scatter(double[] predicted, double[] measured) =>
        new("scatter", Verified(predicted, measured), "log-likelihood");

    private static VerifiedStage Verified(double[] predicted, double[] measured) => new()
    {
        Stage = "stage", Predicted = 0.4, Measured = 0.4, Pearson = 1, Spearman = 1, RelativeError = 0, Examples = predicted.Length,
        PredictedPerExample = predicted, MeasuredPerExample = measured,
    };

    private static ProbeScores Scores(params GroupScores[] groups) => new() { Mean = 0, Groups = groups };

    private static GroupScores Group(string name, int examples, params (string Key, double Value)[] metrics) =>
        new() { Group = name, Examples = examples, Metrics = metrics.ToDictionary(metric => metric.Key, metric => metric.Value) };

    private static IEnumerable<XElement> Shapes(XDocument svg, string look) => svg.Descendants().Where(element => Look(element) == look);

    private static string? Look(XElement element) => element.Attribute("class")?.Value;

    private static double Number(XElement element, string name) =>
        double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture);
}
