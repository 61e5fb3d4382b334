using LlmStageAudit.Auditing;
using LlmStageAudit.Auditing.Hops;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Reporting;
using LlmStageAudit.Retraining.Hops;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Readme;

/// <summary>The walk in ten lines of docs/library.md, which stand here once more, compiled and run.</summary>
[Collection(AuditCollection.Name)]
public sealed class LibraryPageTests(AuditFixture audit) : IDisposable
{
    private readonly string _before = Directory.GetCurrentDirectory();

    public void Dispose() => Directory.SetCurrentDirectory(_before);

    [Fact]
    public void The_walk_from_configuration_to_report_runs_as_the_page_says()
    {
        using var folder = new TemporaryFolder();
        foreach (var file in Directory.GetFiles(audit.Folder)) File.Copy(file, folder.At(Path.GetFileName(file)));
        folder.Write(
            "run.yaml",
            File.ReadAllText(audit.At("sgd.yaml")).Replace("base-run/", audit.At("base-run") + "/", StringComparison.Ordinal));
        Directory.SetCurrentDirectory(folder.Path);

        var host = new WalkHost();
        var probe = ProbeConfigurationReader.Read("identity.yaml");
        TrainHop.Run(new TrainRequest(RunConfigurationReader.Read("run.yaml", []), "runs/a"), host);
        AttributeHop.Run(new AttributeRequest { Run = "runs/a", Probe = probe }, host);
        var ranked = RankHop.Run(new RankRequest { Run = "runs/a", Probe = probe, Confounders = ["blue"] }, host);
        var plan = PlanHop.Run(new PlanRequest("runs/a") { Skip = [ranked.Rankings[0].Record.Ranking[0].Stage] });
        RetrainHop.Run(new RetrainRequest(plan.Path), host);
        var verified = VerifyHop.Run(new VerifyRequest(plan.Path) { MinPearson = 0.95 }, host);
        var page = ReportHop.Run("runs/a");

        Assert.True(verified.Record.Passed);
        Assert.True(Assert.Single(verified.Record.Stages).BitIdentical);
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(page), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void The_page_shows_the_lines_that_run()
    {
        var block = DocumentPage.Of("docs/library.md").Blocks.Single(block => block.Language == "csharp").Text;
        var source = File.ReadAllText(
            Path.Combine(SharedData.RepositoryRoot, "tests", "LlmStageAudit.Cli.Tests", "Readme", "LibraryPageTests.cs"));
        Assert.Contains(string.Concat(block.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => $"        {line}\n")), source);
    }
}
