using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Walk;

public sealed class DoctorTests
{
    [Fact]
    public void Says_what_the_machine_computes_with()
    {
        var said = CommandLine.Json("doctor");
        Assert.Equal("libtorch", said.Text("engine"));
        Assert.True(File.Exists(Path.Combine(said.GetProperty("libTorchFolder").GetString()!, "libtorch_cpu.so")));
        Assert.Matches(@"^\d+\.\d+", said.Text("libTorchVersion"));
        Assert.True(said.Count("threads") >= 1);
        Assert.Equal("cpu", said.List("devices")[0].GetString());
        Assert.NotEmpty(said.Text("slurm"));
        Assert.True(said.GetProperty("diskFreeBytes").GetInt64() > 0);
        Assert.NotEmpty(said.Text("machine"));
        Assert.NotEmpty(said.Text("processor"));
        Assert.NotEmpty(said.Text("cpuCapability"));
        Assert.NotEmpty(said.Text("libraries"));
        Assert.True(said.Count("interopThreads") >= 1);
        Assert.False(said.GetProperty("deterministic").GetBoolean());
        Assert.Equal(System.Text.Json.JsonValueKind.Array, said.GetProperty("environment").ValueKind);
    }

    [Fact]
    public void Without_json_the_same_is_a_table()
    {
        var outcome = CommandLine.Succeed("doctor");
        Assert.All(
            ["libtorch", "threads", "vector instructions", "BLAS", "environment", "devices", "processor", "Slurm", "disk"],
            word => Assert.Contains(word, outcome.Output));
        Assert.Empty(outcome.Error);
    }
}
