using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

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
    public void A_run_as_a_table_has_times_in_UTC_and_an_empty_list_as_nothing()
    {
        var created = CommandLine.Json("inspect", audit.Run).Text("createdUtc");
        var said = CommandLine.Succeed("inspect", audit.Run).Output;
        Assert.EndsWith("Z", created);
        Assert.Matches($@"createdUtc +{created} ", said);
        Assert.DoesNotContain("System.", said);
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
    public void A_link_has_the_size_of_what_it_leads_to()
    {
        using var folder = new TemporaryFolder();
        var file = audit.At("sgd-run", "initial", "adapter_model.safetensors");
        File.CreateSymbolicLink(folder.At("link.safetensors"), file);
        Assert.Equal(new FileInfo(file).Length, CommandLine.Json("inspect", folder.At("link.safetensors")).Count("sizeBytes"));
    }

    [Fact]
    public void A_log_in_its_run()
    {
        var path = audit.At("sgd-run", "stages", "02-second", "trajectory.log");
        var stage = JsonReading.ReadFile(audit.At("sgd-run", "manifest.json")).List("stages")[1];
        var said = CommandLine.Json("inspect", path);
        Assert.Equal("trajectory-log", said.Text("kind"));
        Assert.Equal(1, said.Count("version"));
        Assert.Equal("whole", said.Text("condition"));
        Assert.Equal((TinyWorkspace.StepsPerStage, 5, 8), (said.Count("records"), said.Count("firstStep"), said.Count("lastStep")));
        Assert.Equal(stage.Number("lossFirst"), said.Number("lossFirst"));
        Assert.Equal(stage.Number("lossLast"), said.Number("lossLast"));
        Assert.Equal(stage.Text("trajectoryHead"), said.Text("headHash"));
        Assert.Equal(audit.Trained("sgd").Count("parameters"), said.Count("gradientValues"));
        Assert.Equal(new FileInfo(path).Length, said.Count("sizeBytes"));
        Assert.Equal((audit.Run, "second", audit.Trained("sgd").Text("runId")), (said.Text("run"), said.Text("stage"), said.Text("runId")));
        Assert.Equal("yes, and it ends where the manifest says", said.Text("belongs"));
    }

    [Fact]
    public void A_log_that_lies_alone_is_torn_or_damaged()
    {
        using var folder = new TemporaryFolder();
        var bytes = File.ReadAllBytes(audit.At("sgd-run", "stages", "01-first", "trajectory.log"));
        var path = folder.At("alone.log");
        File.WriteAllBytes(path, bytes[..^7]);
        var torn = CommandLine.Json("inspect", path);
        Assert.StartsWith("torn: ", torn.Text("condition"));
        Assert.Equal(TinyWorkspace.StepsPerStage - 1, torn.Count("records"));
        Assert.Equal("unknown: no run folder around it", torn.Text("belongs"));

        bytes[16] ^= 1;
        File.WriteAllBytes(path, bytes);
        Assert.Equal("damaged after record 0: no record starts here", CommandLine.Json("inspect", path).Text("condition"));
        Assert.Contains("damaged after record 0", CommandLine.Succeed("inspect", path).Output);
    }

    [Fact]
    public void A_log_among_the_files_of_another_stage_is_said_to_be_foreign()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.At("run", "stages", "01-first"));
        File.Copy(audit.At("sgd-run", "manifest.json"), folder.At("run", "manifest.json"));
        var path = folder.At("run", "stages", "01-first", "trajectory.log");
        File.Copy(audit.At("sgd-run", "stages", "02-second", "trajectory.log"), path);
        Assert.StartsWith("NO: ", CommandLine.Json("inspect", path).Text("belongs"));
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
