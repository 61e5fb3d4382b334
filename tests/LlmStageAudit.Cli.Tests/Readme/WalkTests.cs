namespace LlmStageAudit.Cli.Tests.Readme;

/// <summary>The commands of the README's real run, and those that other pages build on it, on an audit that takes a second.</summary>
public sealed class WalkTests(WalkedAudit audit) : IClassFixture<WalkedAudit>
{
    public static TheoryData<string> Pages =>
        [.. DocumentPage.All.Skip(1).Where(page => WalkedAudit.Commands(page).Any()).Select(page => page.Name)];

    [Fact]
    public void The_real_run_of_the_readme_ends_in_a_report()
    {
        Assert.True(WalkedAudit.Commands(DocumentPage.Readme).Count() >= 8);
        Assert.True(File.Exists(audit.At("runs", "a", "report.html")));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_page_goes_on_from_the_real_run(string page) => audit.Walk(DocumentPage.Of(page));
}
