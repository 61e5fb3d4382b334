using System.Text.Json.Nodes;
using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Walk;

[Collection(AuditCollection.Name)]
public sealed class PlanTests(AuditFixture audit)
{
    [Fact]
    public void The_answer_is_the_plan_that_was_filed()
    {
        CommandLine.Json("attribute", audit.Run, "--probe", audit.Probe);
        var path = audit.At("plans", "two.json");
        // Other tests file effects on other probes in this run.
        var from = audit.EffectsFile("sgd", "exact");
        var said = CommandLine.Json("plan", audit.Run, "--skip", "first", "second", "--from", from, "--out", path);
        Assert.Equal(
            "predicted by effects/identity.replay-exact.stage.json (log-likelihood on identity, replay-exact, trust exact), as asked for",
            said.Text("choice"));
        var filed = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        filed["warnings"] = new JsonArray();
        Assert.Equal(filed.ToJsonString(), JsonNode.Parse(said.GetRawText())!.ToJsonString());
        Assert.Equal("plan", said.Text("kind"));
        Assert.Equal(audit.Trained("sgd").Text("runId"), said.Text("runId"));
        Assert.Equal(12, said.Count("totalSteps"));

        var jobs = said.List("jobs");
        Assert.Equal(["first", "second"], jobs.Texts("stage"));
        Assert.False(jobs[0].TryGetProperty("startsAfter", out _));
        Assert.Equal("first", jobs[1].Text("startsAfter"));
        Assert.Equal(["second", "third"], jobs[0].List("stages").Select(stage => stage.GetString()));
        Assert.Equal([8, 4], jobs.Select(job => job.Count("steps")));
        var effects = CommandLine.Json("attribute", audit.Run, "--probe", audit.Probe).List("effects");
        Assert.Equal(effects[1].Number("estimate"), jobs[1].GetProperty("expectedEffect").Number("estimate"));
    }

    [Fact]
    public void Auto_takes_what_ranks_highest()
    {
        var ranked = CommandLine.Json("rank", audit.Run, "--probe", audit.Probe, "--confounder", "blue");
        string[] command = ["plan", audit.Run, "--auto", "2", "--from", ranked.List("files")[0].GetString()!, "--out", audit.At("plans", "auto.json")];
        Assert.Equal(ranked.List("ranking").Texts("stage")[..2], CommandLine.Json(command).List("jobs").Texts("stage"));
        Assert.Contains(
            "the first of rankings/identity.blue.replay-exact.json (blue on identity, trust exact), as asked for",
            CommandLine.Succeed(command).Error);
    }

    [Theory]
    [InlineData(new string[0], "neither --skip nor --auto")]
    [InlineData(new[] { "--skip", "first", "--auto", "1" }, "both --skip and --auto")]
    public void One_way_of_choosing_is_demanded(string[] options, string message)
    {
        var outcome = CommandLine.Run(["plan", audit.Run, .. options, "--out", audit.At("plans", "none.json")]);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(message, Assert.Single(outcome.ErrorLines));
        Assert.False(File.Exists(audit.At("plans", "none.json")));
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    public void Auto_demands_a_number_of_stages(string count)
    {
        CommandLine.Json("rank", audit.Run, "--probe", audit.Probe, "--confounder", "blue");
        var outcome = CommandLine.Run("plan", audit.Run, "--auto", count, "--out", audit.At("plans", "none.json"));
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("--auto", outcome.Error);
        Assert.False(File.Exists(audit.At("plans", "none.json")));
    }
}
