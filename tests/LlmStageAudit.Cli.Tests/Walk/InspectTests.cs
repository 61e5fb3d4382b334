using LlmStageAudit.Cli.Tests.Surface;

namespace LlmStageAudit.Cli.Tests.Walk;

[Collection(AuditCollection.Name)]
public sealed class InspectTests(AuditFixture audit)
{
    private const int HiddenSize = 16;

    [Fact]
    public void A_run()
    {
        var said = CommandLine.Json("inspect", audit.Run);
        Assert.Equal("run", said.Text("kind"));
        Assert.Equal("completed", said.Text("state"));
        Assert.Equal(audit.Trained("sgd").Text("runId"), said.Text("runId"));
        Assert.Equal(3, said.List("stages").Length);
    }

    [Fact]
    public void A_model()
    {
        var said = CommandLine.Json("inspect", audit.Model);
        Assert.Equal("model", said.Text("kind"));
        Assert.Equal("gpt_neox", said.Text("modelType"));
        // Embedding and head; per layer two norms, attention in and out, MLP in and out, with biases; the last norm.
        const int layer = (4 * HiddenSize) + (4 * HiddenSize * (HiddenSize + 1)) + (32 * (HiddenSize + 1)) + (HiddenSize * 33);
        Assert.Equal((2 * 40 * HiddenSize) + (2 * layer) + (2 * HiddenSize), said.Count("parameters"));
        Assert.Contains("model.safetensors", said.List("files").Select(file => file.GetString()));
    }

    [Fact]
    public void An_adapter()
    {
        var said = CommandLine.Json("inspect", audit.At("sgd-run", "initial"));
        Assert.Equal("adapter", said.Text("kind"));
        Assert.Equal("SEQ_CLS", said.Text("taskType"));
        Assert.Equal(2, said.Count("r"));
        Assert.Equal(2, said.Number("scaling"));
        // Rank 2 on [48, 16] and [32, 16] in both layers, and the head.
        Assert.Equal((2 * 2 * (48 + 16 + 32 + 16)) + (2 * HiddenSize), said.Count("parameters"));
        Assert.Equal(said.Count("parameters"), audit.Trained("sgd").Count("parameters"));
    }

    [Fact]
    public void A_safetensors_file()
    {
        var path = audit.At("sgd-run", "initial", "adapter_model.safetensors");
        var said = CommandLine.Json("inspect", path);
        Assert.Equal("safetensors", said.Text("kind"));
        Assert.Equal(new FileInfo(path).Length, said.Count("sizeBytes"));
        Assert.Contains(said.List("tensors").Select(tensor => tensor.GetString()!), tensor =>
            tensor.EndsWith("score.weight F32 [2, 16]", StringComparison.Ordinal));
    }

    [Fact]
    public void A_plan()
    {
        var said = CommandLine.Json("inspect", audit.RetrainedPlan("sgd", "exact"));
        Assert.Equal("plan", said.Text("kind"));
        Assert.Equal(audit.Trained("sgd").Text("runId"), said.Text("runId"));
        Assert.Equal("3 entries", said.Text("jobs"));
    }

    [Theory]
    [InlineData("no-such-thing", 2)]
    [InlineData("first.jsonl", 2)]
    public void Something_else_is_refused(string name, int exitCode)
    {
        var outcome = CommandLine.Run("inspect", audit.At(name));
        Assert.Equal(exitCode, outcome.ExitCode);
        Assert.Contains(name, Assert.Single(outcome.ErrorLines));
        Assert.Empty(outcome.Output);
    }
}
