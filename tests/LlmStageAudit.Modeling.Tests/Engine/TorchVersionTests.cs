using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Engine;

public sealed class TorchVersionTests
{
    [Theory]
    [InlineData("2.10.0")]
    [InlineData("2.11.0")]
    [InlineData("2.12.1")]
    [InlineData("2.10")]
    public void Versions_that_fit_are_taken(string version) => TorchVersion.Require(version, "/opt/torch/lib");

    [Theory]
    [InlineData("2.9.1")]
    [InlineData("2.13.0")]
    [InlineData("1.13.0")]
    [InlineData("2.1")]
    [InlineData("2.100")]
    [InlineData("12.10.0")]
    [InlineData("")]
    [InlineData(null)]
    public void Others_are_refused_with_what_fits_and_what_to_do(string? version)
    {
        var error = Assert.Throws<EngineException>(() => TorchVersion.Require(version, "/opt/torch/lib"));
        Assert.StartsWith("/opt/torch/lib", error.Message, StringComparison.Ordinal);
        Assert.Contains($"libtorch {version ?? "of a version it does not name"}", error.Message, StringComparison.Ordinal);
        Assert.Contains("2.10, 2.11, 2.12", error.Message, StringComparison.Ordinal);
        Assert.Contains("install a PyTorch of one of these versions and set LIBTORCH to its torch/lib", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_loaded_one_says_who_it_is_and_passes_the_check()
    {
        TorchVersion.Require(TorchEngine.Version, TorchEngine.Folder);
        Assert.Matches(@"^2\.1[0-2]\.\d+$", TorchEngine.Version);
        Assert.True(File.Exists(Path.Combine(TorchEngine.Folder, "libtorch_cpu.so")));
        var before = LiveTensors.Settled();
        EngineCheck.Run(TorchEngine.Folder);
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Threads_are_one_or_more()
    {
        var before = TorchEngine.Threads;
        foreach (var threads in new[] { 0, -1, int.MinValue }) Assert.Throws<EngineException>(() => TorchEngine.Threads = threads);
        Assert.Equal(before, TorchEngine.Threads);
    }

    [Fact]
    public void Determinism_is_a_switch()
    {
        var before = TorchEngine.Deterministic;
        foreach (var value in new[] { true, false, before })
        {
            TorchEngine.Deterministic = value;
            Assert.Equal(value, TorchEngine.Deterministic);
        }
    }
}
