using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.Versioning;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Plans;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Records.Trajectories;

namespace LlmStageAudit.Records.Tests.Boundaries;

public sealed class ForeignFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [UnixFact]
    public async Task A_pipe_is_refused_and_not_waited_for()
    {
        var pipe = Pipe("pipe");
        var link = _folder.At("link.json");
        File.CreateSymbolicLink(link, pipe);
        var refusals = Task.Run(() =>
        {
            foreach (var path in (string[])[pipe, link])
            {
                Assert.Contains("is a pipe", Assert.Throws<ForeignFileException>(() => ForeignFile.OpenRead(path)).Message);
                Assert.Contains("is a pipe", Assert.Throws<ConfigurationException>(() => ProbeConfigurationReader.Read(path)).Message);
                Assert.Contains("is a pipe", Assert.Throws<ArtifactException>(() => ArtifactJson.Read<PlanArtifact>(path)).Message);
                Assert.Contains("is a pipe", Assert.Throws<TrajectoryException>(() => TrajectoryReader.Open(path, "run")).Message);
                Assert.Contains("is a pipe", Assert.Throws<ForeignFileException>(() => ContentHash.OfFile(path)).Message);
            }
        });
        await refusals.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [UnixFact]
    public void Devices_folders_and_sockets_are_refused()
    {
        Assert.Contains("is a device", Assert.Throws<ForeignFileException>(() => ForeignFile.OpenRead("/dev/zero")).Message);
        Assert.Contains("is a device", Assert.Throws<ForeignFileException>(() => ForeignFile.ReadText("/dev/null", 10)).Message);
        Assert.Contains("is a folder", Assert.Throws<ForeignFileException>(() => ForeignFile.OpenRead(_folder.Path)).Message);
        var socket = _folder.At("socket");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(socket));
        Assert.Contains("socket", Assert.Throws<ForeignFileException>(() => ForeignFile.OpenRead(socket)).Message);
    }

    [UnixFact]
    public void Links_in_a_circle_are_refused()
    {
        File.CreateSymbolicLink(_folder.At("a"), _folder.At("b"));
        File.CreateSymbolicLink(_folder.At("b"), _folder.At("a"));
        Assert.ThrowsAny<IOException>(() => ForeignFile.OpenRead(_folder.At("a")));
        Assert.Throws<ConfigurationException>(() => ProbeConfigurationReader.Read(_folder.At("a")));
        Assert.Throws<ArtifactException>(() => ArtifactJson.Read<PlanArtifact>(_folder.At("a")));
    }

    [Fact]
    public void Regular_files_open_the_empty_one_too()
    {
        Assert.Empty(ForeignFile.ReadText(_folder.Write("empty", ""), 10));
        Assert.Equal("abc"u8.ToArray(), ForeignFile.ReadText(_folder.Write("abc", "abc"), 3));
        Assert.Contains("more than 2", Assert.Throws<ForeignFileException>(() => ForeignFile.ReadText(_folder.At("abc"), 2)).Message);
        Assert.Throws<FileNotFoundException>(() => ForeignFile.OpenRead(_folder.At("none")));
    }

    /// <summary>Holes cost nothing to make; reading them would take a gigabyte.</summary>
    [Fact]
    public void A_huge_file_of_holes_is_refused_at_its_first_bytes()
    {
        var path = _folder.At("holes.json");
        using (var stream = File.Create(path)) stream.SetLength(ArtifactJson.MaximumSizeBytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("begins with zeros", Assert.Throws<ArtifactException>(() => ArtifactJson.Read<PlanArtifact>(path)).Message);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
        using (var stream = File.Create(path)) stream.SetLength(1L << 40);
        Assert.Contains("bytes", Assert.Throws<ArtifactException>(() => ArtifactJson.Read<PlanArtifact>(path)).Message);
        Assert.Contains("more than", Assert.Throws<ConfigurationException>(() => ProbeConfigurationReader.Read(path)).Message);
    }

    [Theory]
    [InlineData("gAJ9cQAu", "a pickle")]
    [InlineData("gASVCgAAAAAAAAB9lC4=", "a pickle")]
    [InlineData("UEsDBBQAAAAAAA==", "zip archive")]
    [InlineData("k05VTVBZAQB2AHs=", "NumPy")]
    public void Pickles_are_told_by_their_first_bytes(string base64, string what)
    {
        var path = _folder.At("plan.json");
        File.WriteAllBytes(path, Convert.FromBase64String(base64));
        foreach (var message in (string[])
            [
                Assert.Throws<ArtifactException>(() => ArtifactJson.Read<PlanArtifact>(path)).Message,
                Assert.Throws<ConfigurationException>(() => RunConfigurationReader.Read(path, [])).Message,
            ])
        {
            Assert.Contains(what, message);
            Assert.Contains("can run code", message);
            Assert.Contains("save_file", message);
        }
    }

    [UnprivilegedFact]
    [UnsupportedOSPlatform("windows")]
    public void What_may_not_be_read_is_a_typed_error()
    {
        var path = _folder.Write("plan.json", "{}");
        File.SetUnixFileMode(path, UnixFileMode.None);

        Assert.Throws<ArtifactException>(() => ArtifactJson.Read<PlanArtifact>(path));
        Assert.Throws<ConfigurationException>(() => RunConfigurationReader.Read(path, []));
    }

    private string Pipe(string name)
    {
        var start = new ProcessStartInfo("mkfifo") { ArgumentList = { _folder.At(name) } };
        using var process = Process.Start(start)!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
        return _folder.At(name);
    }
}
