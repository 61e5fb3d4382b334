using System.Xml.Linq;
using LlmStageAudit.Reporting.Charts;
using LlmStageAudit.Reporting.Findings;

namespace LlmStageAudit.Reporting.Tests.Charts;

public sealed class AxisTests
{
    [Theory]
    [InlineData(0.0, 1.0)]
    [InlineData(-3.7, 12.9)]
    [InlineData(1e-7, 4e-7)]
    [InlineData(-2e9, -1e9)]
    [InlineData(0.5, 0.5)]
    [InlineData(0.0, 0.0)]
    [InlineData(-1.7e308, 1.7e308)]
    public void Every_span_of_values_gets_a_handful_of_ticks_within_the_plot(double low, double high)
    {
        var chart = new LossChart("loss", [ChartTests.Step(1, low, 0), ChartTests.Step(2, high, 0)], [new StageBand("only", 1, 2)]);
        var labels = XDocument.Parse(chart.Render()).Descendants()
            .Where(element => element.Name.LocalName == "text" && element.Attribute("text-anchor")?.Value == "end").ToArray();
        Assert.InRange(labels.Length, 2, 11);
        Assert.Equal(labels.Length, labels.Select(label => label.Value).Distinct().Count());
        Assert.All(labels, label => Assert.InRange((double)label.Attribute("y")!, 44, 295));
    }
}
