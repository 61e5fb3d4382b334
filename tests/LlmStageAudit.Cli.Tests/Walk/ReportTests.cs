using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Walk;

[Collection(AuditCollection.Name)]
public sealed class ReportTests(AuditFixture audit)
{
    [Fact]
    public void The_page_is_written_where_it_says_and_names_every_stage()
    {
        CommandLine.Json("verify", audit.RetrainedPlan("sgd", "recorded"), "--effects", audit.EffectsFile("sgd", "recorded"));
        CommandLine.Json("rank", audit.Run, "--probe", audit.Probe, "--confounder", "blue");
        var path = CommandLine.Json("report", audit.Run, "-o", audit.At("reports", "page.html")).Text("report");
        Assert.Equal(audit.At("reports", "page.html"), path);
        var page = File.ReadAllText(path);
        Assert.StartsWith("<!doctype html>", page, StringComparison.OrdinalIgnoreCase);
        Assert.All(TinyWorkspace.Stages, stage => Assert.Contains(stage, page));
        Assert.Contains("blue", page);
        Assert.Contains(audit.Trained("sgd").Text("runId"), page);
    }

    [Fact]
    public void It_goes_into_the_run_folder_by_default()
    {
        var path = CommandLine.Succeed("report", audit.Run).Output.Trim();
        Assert.Equal(audit.At("sgd-run", "report.html"), path);
        Assert.True(new FileInfo(path).Length > 1000);
    }
}
