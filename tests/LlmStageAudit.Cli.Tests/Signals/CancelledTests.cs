using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Signals;

[Collection(AuditCollection.Name)]
public sealed class CancelledTests(AuditFixture audit)
{
    [Fact]
    public void What_leaves_no_checkpoint_is_cancelled()
    {
        var before = FileTree.Of(audit.Run);
        var outcome = Cancelled("attribute", audit.Run, "--probe", audit.Probe);
        Assert.Equal((130, "cancelled"), (outcome.ExitCode, Assert.Single(outcome.ErrorLines)));
        Assert.Empty(outcome.Output);
        Assert.Equal(before, FileTree.Of(audit.Run));
    }

    [Fact]
    public void A_retraining_is_stopped_and_goes_on_when_run_again()
    {
        var plan = audit.At("plans", "cancelled.json");
        CommandLine.Json("plan", audit.Run, "--skip", "second", "--out", plan);
        var outcome = Cancelled("retrain", plan);
        Assert.Equal(75, outcome.ExitCode);
        Assert.Contains("stopped on a signal", Assert.Single(outcome.ErrorLines));
        Assert.Equal("stopped", CommandLine.Json("status", plan).List("jobs")[0].Text("state"));
        Assert.Equal("completed", CommandLine.Json("retrain", plan).List("jobs")[0].Text("state"));
    }

    private static CommandOutcome Cancelled(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = StageAudit.RunAsync(args, output, error, new CancellationToken(canceled: true)).GetAwaiter().GetResult();
        return new CommandOutcome(code, output.ToString(), error.ToString());
    }
}
