using System.Runtime.Versioning;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Tests.Serialization;

namespace LlmStageAudit.Records.Tests.Boundaries;

[UnsupportedOSPlatform("windows")]
public sealed class FolderBoundaryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly RunFolder _run;

    public FolderBoundaryTests()
    {
        _run = RunFolder.Create(_folder.At("run"));
        _run.WriteManifest(SampleArtifacts.Run);
        Directory.CreateDirectory(_folder.At("run/stages/01-a"));
        File.WriteAllText(_folder.At("run/stages/01-a/trajectory.log"), "");
    }

    public void Dispose() => _folder.Dispose();

    [UnixFact]
    public void A_run_folder_with_a_link_that_leads_out_is_not_opened()
    {
        Directory.CreateDirectory(_folder.At("elsewhere"));
        Directory.CreateSymbolicLink(_folder.At("run/effects"), "stages");
        RunFolder.Open(_run.Root);
        foreach (var place in (string[])["rankings", "stages/01-a/state", "effects-partial"])
        {
            Directory.CreateSymbolicLink(_folder.At($"run/{place}"), _folder.At("elsewhere"));
            var refused = Assert.Throws<RunFolderException>(() => RunFolder.Open(_run.Root));
            Assert.Contains($"{place} is a link that leads out", refused.Message);
            File.Delete(_folder.At($"run/{place}"));
        }

        // The folder itself may be a link: the user named it.
        Directory.CreateSymbolicLink(_folder.At("alias"), _run.Root);
        Assert.Equal("0f3a", RunFolder.Open(_folder.At("alias")).ReadManifest().RunId);
    }

    [UnixTheory]
    [InlineData("run")]
    [InlineData("run/manifest.json")]
    [InlineData("run/stages")]
    [InlineData("run/stages/01-a/trajectory.log")]
    public void A_run_that_every_user_may_write_is_not_opened(string entry)
    {
        var path = _folder.At(entry);
        var before = File.GetUnixFileMode(path);
        File.SetUnixFileMode(path, before | UnixFileMode.GroupWrite);
        RunFolder.Open(_run.Root);
        File.SetUnixFileMode(path, before | UnixFileMode.OtherWrite);
        var refused = Assert.Throws<RunFolderException>(() => RunFolder.Open(_run.Root));
        Assert.Contains("every user of this machine may write it", refused.Message);
        Assert.Contains(entry == "run" ? "(the folder)" : $"({entry["run/".Length..]})", refused.Message);
        Assert.Contains("chmod -R o-w", refused.Message);
        File.SetUnixFileMode(path, before);
        RunFolder.Open(_run.Root);
    }

    [UnixFact]
    public void Links_within_do_not_pass_for_open_files()
    {
        File.CreateSymbolicLink(_folder.At("run/log"), "stages/01-a/trajectory.log");
        File.CreateSymbolicLink(_folder.At("run/nowhere"), "stages/gone");
        RunFolder.Open(_run.Root);
    }

    [UnixFact]
    public void A_file_that_every_user_may_write_is_told_through_a_link()
    {
        var (file, link) = (_folder.At("signers"), _folder.At("link"));
        File.WriteAllText(file, "");
        File.CreateSymbolicLink(link, "signers");
        Assert.Null(WorldWrite.Fault(link));
        File.SetUnixFileMode(file, File.GetUnixFileMode(file) | UnixFileMode.OtherWrite);
        Assert.NotNull(WorldWrite.Fault(link));
        Assert.NotNull(WorldWrite.Fault(file));
        Assert.Null(WorldWrite.Fault(_folder.At("absent")));
    }
}
