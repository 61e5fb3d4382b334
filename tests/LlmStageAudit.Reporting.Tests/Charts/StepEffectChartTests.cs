using System.Globalization;
using System.Xml.Linq;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Reporting.Charts;
using LlmStageAudit.Reporting.Findings;

namespace LlmStageAudit.Reporting.Tests.Charts;

public sealed class StepEffectChartTests
{
    [Fact]
    public void Bars_stand_on_zero_above_their_step_and_are_as_high_as_their_effect()
    {
        var svg = Draw([Bar(1, 0.4, BarFill.Solid), Bar(3, -0.2, BarFill.Solid)]);
        var zero = double.Parse(Shapes(svg, "zero").Single().Attribute("y1")!.Value, CultureInfo.InvariantCulture);
        var up = Boxes(svg, "raised").First();
        var down = Boxes(svg, "lowered").First();
        Assert.Equal(zero, up.From, 0.02);
        Assert.Equal(zero, down.From, 0.02);
        Assert.True(up.To < zero);
        Assert.Equal(-2, (up.To - zero) / (down.To - zero), 0.01);
        var ticks = svg.Descendants().Where(element => element.Name.LocalName == "text" && element.Value is "1" or "3")
            .ToDictionary(element => element.Value, element => double.Parse(element.Attribute("x")!.Value, CultureInfo.InvariantCulture));
        Assert.Equal(ticks["1"], (up.Left + up.Right) / 2, 0.02);
        Assert.Equal(ticks["3"], (down.Left + down.Right) / 2, 0.02);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(800)]
    public void Solid_hatched_and_hollow_bars_differ_by_more_than_colour(int steps)
    {
        foreach (var fill in Enum.GetValues<BarFill>())
        {
            var svg = Draw([.. Enumerable.Range(1, steps).Select(step => Bar(step, step, fill))]);
            var shape = svg.Descendants().First(element => element.Name.LocalName == "path" && element.Attribute("d")!.Value.Contains('V'));
            var look = shape.Attribute("class")?.Value ?? string.Empty;
            Assert.Equal(fill == BarFill.Hatched, shape.Attribute("fill")?.Value == "url(#steps-hatch-raised)");
            Assert.Equal(fill == BarFill.Solid, look == "raised");
            Assert.Equal(fill == BarFill.Hollow, look is "hollow-raised" or "thin-raised");
        }
    }

    [Fact]
    public void Five_largest_of_either_sign_are_labelled_and_no_label_covers_another()
    {
        var bars = Enumerable.Range(1, 60)
            .Select(step => Bar(step, step is >= 30 and <= 34 ? 1 - (2 * (step % 2)) : 0.01, BarFill.Hatched));
        var svg = Draw([.. bars.Append(Bar(61, double.NaN, BarFill.Hatched))]);
        var labels = Shapes(svg, "minor mark").ToArray();
        Assert.Equal(["step 30", "step 31", "step 32", "step 33", "step 34"], labels.Select(label => label.Value).Order());
        var places = labels.Select(label => (
            X: double.Parse(label.Attribute("x")!.Value, CultureInfo.InvariantCulture),
            Y: double.Parse(label.Attribute("y")!.Value, CultureInfo.InvariantCulture))).ToArray();
        for (var one = 0; one < places.Length; one++)
        {
            Assert.InRange(places[one].X, 74, 806);
            for (var other = 0; other < one; other++)
            {
                Assert.True(Math.Abs(places[one].X - places[other].X) > 40 || Math.Abs(places[one].Y - places[other].Y) >= 13);
            }
        }
    }

    [Fact]
    public void Long_runs_are_thinned_and_keep_both_peaks()
    {
        var bars = Enumerable.Range(1, 30_000)
            .Select(step => Bar(step, step switch { 12_345 => 9, 12_346 => -7, _ => 0.5 }, BarFill.Hatched)).ToArray();
        var chart = Chart(bars);
        Assert.True(chart.IsThinned);
        Assert.InRange(chart.DrawnBars().Count, 500, StepEffectChart.MaximumBars);
        Assert.Contains(chart.DrawnBars(), bar => bar.Step == 12_345);
        Assert.Contains(chart.DrawnBars(), bar => bar.Step == 12_346);
        Assert.InRange(chart.Render().Length, 1, 150_000);
        Assert.False(Chart(bars[..StepEffectChart.MaximumBars]).IsThinned);
        Assert.Equal(StepEffectChart.MaximumBars, Chart(bars[..StepEffectChart.MaximumBars]).DrawnBars().Count);
    }

    [Fact]
    public void Stages_are_named_and_the_learning_rate_is_drawn_per_stage()
    {
        var chart = Chart([.. Enumerable.Range(1, 20).Select(step => Bar(step, step, BarFill.Hatched))]) with
        {
            Bands = [new StageBand("first", 1, 10), new StageBand("</svg>", 11, 20)],
            Steps = [.. Enumerable.Range(1, 20).Select(step => ChartTests.Step(step, 1, 0.1 / step))],
        };
        var svg = XDocument.Parse(chart.Render());
        Assert.Contains(svg.Descendants(), element => element.Name.LocalName == "text" && element.Value == "first");
        Assert.Contains(svg.Descendants(), element => element.Name.LocalName == "text" && element.Value == "</svg>");
        Assert.Equal(2, Shapes(svg, "rate").Count(element => element.Name.LocalName == "path"));
        var description = svg.Root!.Elements().Single(element => element.Name.LocalName == "desc").Value;
        Assert.Contains("step 20 of </svg> +20.00", description, StringComparison.Ordinal);
        Assert.Empty(Shapes(XDocument.Parse((chart with { Steps = [] }).Render()), "rate"));
    }

    [Fact]
    public void Numbers_that_are_none_are_not_drawn()
    {
        var svg = Draw([Bar(1, double.NaN, BarFill.Hollow), Bar(2, double.PositiveInfinity, BarFill.Hollow)]);
        Assert.Empty(Shapes(svg, "minor mark"));
        Assert.DoesNotContain(svg.Descendants().Attributes("d"), path => path.Value.Contains("NaN", StringComparison.Ordinal));
    }

    private static StepEffectChart Chart(StageFinding[] bars) => new("steps", "Steps", "effect", bars);

    private static StageFinding Bar(int step, double estimate, BarFill fill) => new(
        new StageEffect
        {
            Stage = $"step {step}", FirstStep = step, LastStep = step, Metric = "margin", Estimate = estimate,
            Trust = GradeOf(fill),
        },
        new Standing(GradeOf(fill), null, null));

    private static TrustGrade GradeOf(BarFill fill) =>
        fill switch { BarFill.Solid => TrustGrade.Exact, BarFill.Hollow => TrustGrade.Low, _ => TrustGrade.High };

    private static XDocument Draw(StageFinding[] bars) => XDocument.Parse(Chart(bars).Render());

    private static IEnumerable<XElement> Shapes(XDocument svg, string look) =>
        svg.Descendants().Where(element => element.Attribute("class")?.Value == look);

    // "Mleft fromVtoHrightVfromZ", once per bar.
    private static IEnumerable<(double Left, double Right, double From, double To)> Boxes(XDocument svg, string look) =>
        Shapes(svg, look).SelectMany(path => path.Attribute("d")!.Value.Split('Z', StringSplitOptions.RemoveEmptyEntries)).Select(box =>
        {
            var numbers = box.Split(['M', ' ', 'V', 'H'], StringSplitOptions.RemoveEmptyEntries)
                .Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray();
            return (numbers[0], numbers[3], numbers[1], numbers[2]);
        });
}
