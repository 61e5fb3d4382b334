using System.Globalization;
using System.Xml.Linq;
using LlmStageAudit.Reporting.Charts;

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
        var verified = Effects(Bar("a", 0.4) with { Fill = BarFill.Solid, Standing = "verified", Measured = 0.4 });
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
        var svg = Effects(Bar("a", 0.4) with { Fill = BarFill.Hollow, Standing = "low trust" }, Bar("b", -0.2));
        var outline = Shapes(svg, "hollow-raised").First();
        var hatched = svg.Descendants().First(element => element.Attribute("fill")?.Value == "url(#chart-hatch-lowered)");
        Assert.Equal(2, Number(outline, "width") / Number(hatched, "width"), 0.01);
        Assert.Contains(svg.Descendants(), element => element.Value == "▲ raised · low trust");
        Assert.Contains(svg.Descendants(), element => element.Value == "▼ lowered · not verified");
    }

    [Fact]
    public void Bars_without_an_interval_have_no_whisker_and_print_a_dash()
    {
        var svg = Effects(Bar("a", 0.4) with { Low = null, High = null });
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
        Assert.Equal(2.5, ScatterChart.Slope([1, 2, 3], [1, 4, 6]), 1e-12);
        Assert.Equal(2.5, ScatterChart.Slope([1, 2, double.NaN, 3], [1, 4, 9, 6]), 1e-12);
        Assert.True(double.IsNaN(ScatterChart.Slope([1, 1], [1, 2])));
        Assert.True(double.IsNaN(ScatterChart.Slope([], [])));
    }

    [Fact]
    public void Scatter_thins_at_even_distances_and_says_so()
    {
        var values = Enumerable.Range(0, 1000).Select(row => row / 7.0).ToArray();
        var chart = Scatter(values, values) with { PointLimit = 100 };
        Assert.Equal(Enumerable.Range(0, 100).Select(index => index * 10), chart.DrawnRows());
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
        var chart = new LossChart
        {
            Id = "loss",
            Points = Enumerable.Range(1, 20).Select(step => new LossPoint(step, step, 0.1)).ToArray(),
            Bands = [new StageBand("first", 1, 10), new StageBand("second", 11, 20)],
        };
        var svg = XDocument.Parse(chart.Render());
        Assert.Equal(2, Shapes(svg, "smooth").Count(element => element.Name.LocalName == "path"));
        Assert.Contains(svg.Descendants(), element => element.Name.LocalName == "text" && element.Value == "second");
    }

    [Fact]
    public void Thinned_loss_keeps_the_spike()
    {
        var points = Enumerable.Range(1, 50000).Select(step => new LossPoint(step, step == 31337 ? 100 : 1, 0.1)).ToArray();
        var chart = new LossChart { Id = "loss", Points = points, Bands = [new StageBand("only", 1, 50000)] };
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
        var chart = new GroupHeatMap
        {
            Id = "map",
            Title = "Groups",
            Columns = ["AUC", "FPR"],
            Rows =
            [
                new HeatRow("one", 12, 3, [new HeatCell(0.75, 0.5), new HeatCell(double.NaN, 0.5)]),
                new HeatRow("two", 5, null, [new HeatCell(0.25, 0.5), new HeatCell(null, null)]),
            ],
        };
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
        XDocument.Parse(new StageEffectChart { Id = "a", Title = "t", Measure = "m", Bars = [] }.Render());
        XDocument.Parse(new StepEffectChart { Id = "e", Title = "t", Measure = "m", Bars = [] }.Render());
        XDocument.Parse(Scatter([], []).Render());
        XDocument.Parse(new LossChart { Id = "c", Points = [], Bands = [] }.Render());
        XDocument.Parse(new GroupHeatMap { Id = "d", Title = "t", Columns = [], Rows = [] }.Render());
    }

    private static StageBar Bar(string stage, double estimate) =>
        new() { Stage = stage, Estimate = estimate, Low = estimate - 0.05, High = estimate + 0.05 };

    private static XDocument Effects(params StageBar[] bars) =>
        XDocument.Parse(new StageEffectChart { Id = "chart", Title = "Effects", Measure = "effect", Bars = bars }.Render());

    private static ScatterChart Scatter(double[] predicted, double[] measured) => new()
    {
        Id = "scatter", Stage = "stage", Unit = "nats", Predicted = predicted, Measured = measured, Pearson = 1, Spearman = 1,
    };

    private static IEnumerable<XElement> Shapes(XDocument svg, string look) => svg.Descendants().Where(element => Look(element) == look);

    private static string? Look(XElement element) => element.Attribute("class")?.Value;

    private static double Number(XElement element, string name) =>
        double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture);
}
