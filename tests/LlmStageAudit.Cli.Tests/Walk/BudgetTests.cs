using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Walk;

/// <summary>Rankings under a budget, of a run of three stages of four steps.</summary>
[Collection(AuditCollection.Name)]
public sealed class BudgetTests(AuditFixture audit)
{
    [Fact]
    public void A_budget_for_everything_replays_everything()
    {
        var exact = CommandLine.Json("attribute", audit.Run, "--probe", audit.Probe).List("effects");
        var said = CommandLine.Json("attribute", audit.Run, "--probe", audit.Probe, "--budget", "3x");
        Assert.Equal(exact.Numbers("estimate"), said.List("effects").Numbers("estimate"));
        Assert.All(
            said.List("effects"), effect => Assert.Equal(("exact", "replay-exact"), (effect.Text("trust"), effect.Text("estimator"))));
        var certification = said.GetProperty("certification");
        Assert.Equal(3, certification.Number("budgetTrainings"));
        Assert.Equal((12, 1), (certification.Number("spentGradients"), certification.Number("spentTrainings")));
        Assert.Equal(TinyWorkspace.Stages, certification.List("settled").Select(name => name.GetString()));
        Assert.Equal(
            "exact replay of all 3 stages costs 12 gradients (1x), within the budget of 36 gradients (3x)", certification.Text("choice"));
        Assert.EndsWith("identity.certified-3x.stage.json", said.Text("file"));
    }

    [Fact]
    public void Steps_are_screened_and_settled_within_the_budget()
    {
        string[] command =
            ["attribute", audit.Run, "--probe", audit.Probe, "--level", "step", "--budget", "3x", "--top", "2", "--rho", "0.2"];
        var said = CommandLine.Json(command);
        var certification = said.GetProperty("certification");
        Assert.Equal("certified", said.Text("method"));
        Assert.StartsWith("adjoint-0.2", certification.Text("screen"));
        Assert.InRange(certification.Number("spentGradients"), certification.Number("screenGradients"), 36);
        Assert.Equal(2, certification.List("head").Length);
        var settled = certification.List("settled").Select(name => name.GetString()!).ToHashSet();
        foreach (var effect in said.List("effects"))
        {
            Assert.Equal(settled.Contains(effect.Text("stage")), effect.Text("trust") == "exact");
            Assert.Equal(settled.Contains(effect.Text("stage")), effect.Text("estimator") == "replay-exact");
        }

        var outcome = CommandLine.Succeed(command);
        Assert.Contains("95% certain", outcome.Output);
        Assert.Contains("adjoint-0.2", outcome.Output);
        Assert.Contains("Exact replay of all 12 steps would cost", outcome.Error);
        Assert.Contains("of 3x", outcome.Error);
        CommandLine.Succeed([.. command, "--per-example"]);
    }

    [Fact]
    public void A_ranking_under_a_budget_marks_what_it_did_not_settle()
    {
        string[] command = ["rank", audit.Run, "--probe", audit.Probe, "--confounder", "blue", "--budget", "0.5x"];
        var said = CommandLine.Json(command);
        var certification = said.GetProperty("certification");
        Assert.Equal("confounder-gap(blue)", certification.Text("measure"));
        Assert.Equal(["second", "third"], certification.List("settled").Select(name => name.GetString()).Order());
        Assert.Equal(["first"], certification.List("open").Select(name => name.GetString()));
        var first = said.List("ranking").Single(stage => stage.Text("stage") == "first");
        Assert.Equal("replay-recorded", first.Text("screen"));
        Assert.Equal("no", first.Text("significant"));
        Assert.Equal("second", said.List("ranking")[0].Text("stage"));
        Assert.Contains("screened (replay-recorded)", CommandLine.Succeed(command).Output);

        var everything = CommandLine.Json([.. command[..^1], "1x"]);
        Assert.True(everything.GetProperty("certification").GetProperty("certain").GetBoolean());
        Assert.Equal("second", everything.GetProperty("certification").List("head")[0].GetString());
        var exact = CommandLine.Json("rank", audit.Run, "--probe", audit.Probe, "--confounder", "blue");
        Assert.Equal(exact.List("ranking").Numbers("score"), everything.List("ranking").Numbers("score"));
    }

    [Fact]
    public void A_report_says_what_was_certified()
    {
        CommandLine.Json("rank", audit.Run, "--probe", audit.Probe, "--confounder", "blue", "--budget", "0.5x");
        var report = File.ReadAllText(CommandLine.Json("report", audit.Run, "-o", audit.At("budget.html")).Text("report"));
        Assert.Contains("Under a budget: not 95% certain", report);
        Assert.Contains("--confounder blue --budget 0.5x", report);
    }

    [Theory]
    [InlineData("--budget: 'much'", "--budget", "much")]
    [InlineData("--confidence: '1'", "--budget", "1x", "--confidence", "1")]
    [InlineData("--top: '0'", "--budget", "1x", "--top", "0")]
    [InlineData("--screen: 'exact'", "--budget", "1x", "--screen", "exact")]
    [InlineData("--top: 'without --budget'", "--top", "2")]
    [InlineData("--level: 'batch'", "--budget", "1x", "--level", "batch", "--method", "adjoint")]
    [InlineData("--method: 'adjoint'", "--budget", "1x", "--method", "adjoint")]
    [InlineData("--budget: '0.1x'; expected at least", "--budget", "0.1x", "--level", "step")]
    public void Options_that_do_not_go_together_are_refused(string fault, params string[] options)
    {
        var outcome = CommandLine.Run(["attribute", audit.Run, "--probe", audit.Probe, .. options]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.StartsWith("error: " + fault, Assert.Single(outcome.ErrorLines));
        Assert.Empty(outcome.Output);
    }
}
