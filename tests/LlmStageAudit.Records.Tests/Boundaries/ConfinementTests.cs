using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Tests.Configuration;
using LlmStageAudit.Records.Tests.Serialization;

namespace LlmStageAudit.Records.Tests.Boundaries;

public sealed class ConfinementTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ConfinementTests() => Directory.CreateDirectory(_folder.At("in/side"));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_key_that_leads_out_is_named_at_once()
    {
        var path = _folder.Write("in/run.yaml", SampleYaml.Run);
        Assert.Equal(2, RunConfigurationReader.Read(path, []).Stages.Count);
        using (Confinement.To(_folder.At("in")))
        {
            var refused = Assert.Throws<ConfigurationException>(
                () => RunConfigurationReader.Read(path, ["adapter.initFrom=/etc", "probes=[/p.yaml]"]));
            Assert.Equal(ErrorKind.Request, refused.Kind);
            Assert.Equal(
                ["model.path", "adapter.recipe", "adapter.initFrom", "probes"],
                refused.Faults.Select(fault => fault.Split(": ")[1]).ToArray());
            Assert.All(refused.Faults, fault => Assert.Contains("leads out", fault));
        }

        Assert.Null(Confinement.Folder);
        using (Confinement.To(_folder.Path)) Assert.Equal(2, RunConfigurationReader.Read(path, []).Stages.Count);
    }

    [UnixFact]
    public void Links_are_followed_wherever_they_stand()
    {
        File.CreateSymbolicLink(_folder.At("in/out.csv"), "/etc/passwd");
        Directory.CreateSymbolicLink(_folder.At("in/up"), "..");
        Directory.CreateSymbolicLink(_folder.At("in/round"), _folder.At("in/side"));
        Directory.CreateSymbolicLink(_folder.At("alias"), _folder.At("in"));
        using var confined = Confinement.To(_folder.At("alias"));
        foreach (var within in (string[])["in/a.csv", "in/side/new/b", "in/round/c", "alias/d", "in", "in/up/in/e"])
            Assert.Null(Fault(within));
        foreach (var outside in (string[])["in/out.csv", "in/up/x", "in/../x", "inside", "in-too", "."]) Assert.NotNull(Fault(outside));
        Assert.NotNull(Confinement.Fault("/etc/passwd"));

        string? Fault(string path) => Confinement.Fault(_folder.At(path));
    }

    [UnixFact]
    public void A_file_inside_that_is_a_link_out_is_not_opened()
    {
        var target = _folder.Write("secret", "x");
        File.CreateSymbolicLink(_folder.At("in/model.safetensors"), target);
        using (ForeignFile.OpenRead(_folder.At("in/model.safetensors"))) Assert.Null(Confinement.Folder);
        using var confined = Confinement.To(_folder.At("in"));
        Assert.Contains(
            "leads out",
            Assert.Throws<ForeignFileException>(() => ForeignFile.OpenRead(_folder.At("in/model.safetensors"))).Message);

        // The user's own word: not inside, and named on the command line.
        using (ForeignFile.OpenRead(target)) Assert.NotNull(Confinement.Folder);
    }

    [Fact]
    public void A_manifest_is_confined_as_a_configuration_is()
    {
        var run = RunFolder.Create(_folder.At("in/run"));
        run.WriteManifest(SampleArtifacts.Run);
        Assert.Equal("0f3a", run.ReadManifest().RunId);
        using var confined = Confinement.To(_folder.Path);
        var refused = Assert.Throws<ConfigurationException>(() => run.ReadManifest());
        Assert.Contains("manifest.json: model.path", refused.Message);
        Assert.Contains("'/m' leads out", refused.Message);
    }

    [Fact]
    public void The_folder_must_be_there()
    {
        Assert.StartsWith(
            "the confinement: no folder", Assert.Throws<ConfigurationException>(() => Confinement.To(_folder.At("none"))).Message);
        Assert.Null(Confinement.Folder);
    }
}
