using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Walk;

public sealed class DoctorTests
{
    [Fact]
    public void Says_what_the_machine_computes_with()
    {
        var said = CommandLine.Json("doctor");
        Assert.Equal("libtorch", said.Text("engine"));
        Assert.True(said.GetProperty("engineWorks").GetBoolean());
        Assert.Matches(@"^\d+\.\d+", said.Text("libTorchVersion"));
        Assert.True(said.Count("threads") >= 1);
        Assert.Equal("cpu", said.List("devices")[0].GetString());
        Assert.NotEmpty(said.Text("slurm"));
        Assert.True(said.GetProperty("diskFreeBytes").GetInt64() > 0);
        Assert.NotEmpty(said.Text("machine"));
    }

    [Fact]
    public void Without_json_the_same_is_a_table()
    {
        var outcome = CommandLine.Succeed("doctor");
        Assert.All(["libtorch", "threads", "devices", "Slurm", "disk"], word => Assert.Contains(word, outcome.Output));
        Assert.Empty(outcome.Error);
    }
}
