using System.Globalization;
using LlmStageAudit.Cli.Terminal;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Reporting.Findings;

namespace LlmStageAudit.Reporting.Tests;

public sealed class HtmlReportSnapshotTests
{
    public HtmlReportSnapshotTests() => Setting.Spelling = SettingFlags.All;

    [Fact]
    public void Page_equals_the_snapshot() => Snapshot.AssertEqual("report.html", HtmlReport.Render(SampleAudit.Inputs()));

    [Theory]
    [InlineData("de-DE")]
    [InlineData("sv-SE")]
    [InlineData("ar-SA")]
    public void Page_is_the_same_under_every_culture(string culture)
    {
        var expected = HtmlReport.Render(SampleAudit.Inputs());
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo(culture);
            Assert.Equal(expected, HtmlReport.Render(SampleAudit.Inputs()));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Empty_page_equals_the_snapshot() =>
        Snapshot.AssertEqual("empty.html", HtmlReport.Render(new ReportInputs { Run = SampleAudit.Run(name => name) }));
}
