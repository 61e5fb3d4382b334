using System.Text.RegularExpressions;
using System.Xml.Linq;
using System.Xml;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Reporting.Tests;

public sealed partial class HtmlReportSafetyTests
{
    private const string Hostile = "</script><script>alert(1)</script>&\"'<img src=x onerror=alert(2)>]]>\u202E\u0007\uD800";

    [Fact]
    public void Page_is_well_formed()
    {
        var page = Parse(HtmlReport.Render(SampleAudit.Inputs()));
        Assert.Equal("html", page.Root!.Name.LocalName);
        XNamespace svg = "http://www.w3.org/2000/svg";
        var charts = page.Descendants(svg + "svg").ToArray();
        Assert.Equal(6, charts.Length);
        Assert.All(charts, chart =>
        {
            Assert.Equal("img", chart.Attribute("role")!.Value);
            Assert.NotEmpty(chart.Element(svg + "title")!.Value);
            Assert.NotEmpty(chart.Element(svg + "desc")!.Value);
        });
    }

    [Fact]
    public void Ids_are_unique_and_every_reference_finds_its_id()
    {
        var page = Parse(HtmlReport.Render(SampleAudit.Inputs()));
        var ids = page.Descendants().Attributes("id").Select(id => id.Value).ToArray();
        Assert.Equal(ids.Length, ids.Distinct().Count());
        var labels = page.Descendants().Attributes("aria-labelledby").SelectMany(label => label.Value.Split(' '));
        var fills = page.Descendants().Attributes("fill").Select(fill => fill.Value).ToArray();
        Assert.NotEmpty(fills);
        Assert.All(fills, fill => Assert.StartsWith("url(#", fill, StringComparison.Ordinal));
        Assert.Subset(ids.ToHashSet(), labels.Concat(fills.Select(fill => fill[5..^1])).ToHashSet());
    }

    [Fact]
    public void Hostile_names_stay_text()
    {
        var page = HtmlReport.Render(SampleAudit.Inputs(name => name + Hostile));
        var parsed = Parse(page);
        Assert.Single(parsed.Descendants(), element => element.Name.LocalName == "script");
        Assert.DoesNotContain(parsed.Descendants(), element => element.Name.LocalName == "img");
        var attributes = parsed.Descendants().Attributes().Select(attribute => attribute.Name.LocalName);
        Assert.DoesNotContain(attributes, name => name.StartsWith("on", StringComparison.Ordinal));
        Assert.DoesNotContain("<script>", page, StringComparison.OrdinalIgnoreCase);
        Assert.Single(ScriptEnd().Matches(page));
        Assert.DoesNotContain('\u202E', page);
        const string Shown = "religion</script><script>alert(1)</script>&\"'";
        Assert.Contains(parsed.Descendants("th"), cell => cell.Value.StartsWith(Shown, StringComparison.Ordinal));
    }

    [Fact]
    public void Page_asks_for_nothing_and_runs_nothing()
    {
        var page = HtmlReport.Render(SampleAudit.Inputs());
        var withoutNamespace = page.Replace("xmlns=\"http://www.w3.org/2000/svg\"", string.Empty, StringComparison.Ordinal);
        Assert.DoesNotContain("http:", withoutNamespace, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("https:", withoutNamespace, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("@import", withoutNamespace, StringComparison.OrdinalIgnoreCase);
        var parsed = Parse(page);
        string[] fetching = ["src", "href", "data", "action", "poster", "srcset"];
        Assert.DoesNotContain(parsed.Descendants().Attributes(), attribute => fetching.Contains(attribute.Name.LocalName));
        Assert.Equal("application/json", parsed.Descendants("script").Single().Attribute("type")!.Value);
        var policy = parsed.Descendants("meta").Single(meta => meta.Attribute("http-equiv")?.Value == "Content-Security-Policy");
        Assert.Equal("default-src 'none'; style-src 'unsafe-inline'; img-src data:", policy.Attribute("content")!.Value);
    }

    [Fact]
    public void Numbers_that_are_none_are_shown_and_break_nothing()
    {
        var inputs = SampleAudit.Inputs();
        double[] odd = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue, double.Epsilon, -double.MaxValue];
        var effects = odd.Select((value, index) => new StageEffect
        {
            Stage = "stage " + index, Metric = "margin", Estimate = value, Low = -value, High = value, Trust = TrustGrade.Low,
        }).ToArray();
        var steps = odd.Select((value, index) => new StepRecord
        {
            Step = index + 1, StageStep = 1, Epoch = 0, LearningRate = value, LossNats = -value, GradientNorm = value, BatchIds = [],
        }).ToArray();
        var verified = inputs.Verifications[0].Stages[0] with
        {
            Pearson = double.NaN,
            Spearman = double.NaN,
            PredictedPerExample = odd,
            MeasuredPerExample = odd.Reverse().ToArray(),
        };
        var page = HtmlReport.Render(inputs with
        {
            Effects = [inputs.Effects[0] with { Effects = effects }],
            Steps = steps,
            Verifications = [inputs.Verifications[0] with { Stages = [verified], MinPearson = double.NaN, Passed = false }],
        });
        var parsed = Parse(page);
        string[] coordinates = ["x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "width", "height", "d"];
        var drawn = parsed.Descendants().Where(element => element.Name.NamespaceName.Length > 0).Attributes()
            .Where(attribute => coordinates.Contains(attribute.Name.LocalName))
            .Select(attribute => attribute.Value);
        Assert.All(drawn, value => Assert.Matches("^[MLHVZ0-9. -]+$", value));
        Assert.Contains("× not computable", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_rows_keep_the_page_small()
    {
        var inputs = SampleAudit.Inputs();
        var effect = inputs.Effects[0].Effects[0];
        var many = Enumerable.Range(0, 20000).Select(step => effect with { Stage = "step " + step, Estimate = step - 9999.5 }).ToArray();
        var steps = Enumerable.Range(1, 100000).Select(step => inputs.Steps[0] with { Step = step, LossNats = 1.0 / step }).ToArray();
        var points = Enumerable.Range(0, 50000).Select(row => (double)row).ToArray();
        var verified = inputs.Verifications[0].Stages.Select(stage => stage with
        {
            PredictedPerExample = points,
            MeasuredPerExample = points,
            Examples = points.Length,
        });
        var page = HtmlReport.Render(inputs with
        {
            Effects = [inputs.Effects[0] with { Effects = many, Treatment = new Treatment.EachStep() }],
            Steps = steps,
            Verifications = [inputs.Verifications[0] with { Stages = verified.ToArray() }],
        });
        Assert.InRange(page.Length, 1, 1_000_000);
        Assert.Contains("The first 200 of 20,000 rows are shown.", page, StringComparison.Ordinal);
        Assert.Contains("The 25 largest of 20,000 are drawn.", page, StringComparison.Ordinal);
        Assert.Contains("At most 400 points per stage are drawn", page, StringComparison.Ordinal);
        Assert.Equal(800, Parse(page).Descendants().Count(element => element.Name.LocalName == "circle"));
    }

    // XML needs no DTD to be well-formed; the HTML doctype names none.
    private static XDocument Parse(string page)
    {
        Assert.StartsWith("<!DOCTYPE html>\n<html", page, StringComparison.Ordinal);
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader);
    }

    [GeneratedRegex("</script", RegexOptions.IgnoreCase)]
    private static partial Regex ScriptEnd();
}
