using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.BadInput;

/// <summary>A workspace of a test's own, to break something in.</summary>
internal sealed class BrokenWorkspace : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public BrokenWorkspace(AuditFixture audit)
    {
        TinyWorkspace.Write(_folder.Path);
        FileTree.Copy(audit.Model, Model);
    }

    public string Model => At("base-run", "stages", "01-language", "state");

    public string Weights => Path.Combine(Model, "model.safetensors");

    /// <summary>A run folder: absent unless the test makes it.</summary>
    public string Out => At("out");

    public string Config => At("sgd.yaml");

    public string Probe => At("identity.yaml");

    public string At(params string[] parts) => _folder.At(parts);

    public string Write(string name, string text) => _folder.Write(name, text);

    public void Edit(string name, string from, string to)
    {
        var text = File.ReadAllText(At(name));
        Assert.Contains(from, text);
        File.WriteAllText(At(name), text.Replace(from, to, StringComparison.Ordinal));
    }

    /// <summary>Writes the model's weights anew, changed.</summary>
    public void EditWeights(Func<HostTensor, HostTensor?> change)
    {
        HostTensor[] tensors;
        using (var file = SafetensorsFile.Open(Weights))
            tensors = [.. file.Tensors.Values.Select(entry =>
                change(new HostTensor(entry.Name, entry.Shape, file.ReadSingles(entry.Name)))).OfType<HostTensor>()];
        SafetensorsWriter.Write(Weights, tensors);
    }

    public CommandOutcome TrainRefused(int exitCode, params string[] mentions) =>
        Refused(exitCode, ["train", Config, "--out", Out], mentions);

    /// <summary>The command fails in one line with all of this in it, says nothing else, and leaves every file as it was.</summary>
    public CommandOutcome Refused(int exitCode, string[] args, params string[] mentions)
    {
        var outcome = RefusedInLines(exitCode, args);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.StartsWith("error: ", line);
        Assert.All(mentions, mention => Assert.Contains(mention, line));
        return outcome;
    }

    public CommandOutcome RefusedInLines(int exitCode, params string[] args)
    {
        var before = FileTree.Of(_folder.Path);
        var outcome = CommandLine.Run(args);
        Assert.True(outcome.ExitCode == exitCode, $"exit {outcome.ExitCode}: {outcome.Error}");
        Assert.Empty(outcome.Output);
        Assert.DoesNotContain("   at ", outcome.Error);
        Assert.DoesNotContain("defect of stageaudit", outcome.Error);
        Assert.Equal(before, FileTree.Of(_folder.Path));
        return outcome;
    }

    public void Dispose() => _folder.Dispose();
}
