using System.Runtime.Versioning;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Seals.Signing;

namespace LlmStageAudit.Seals.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class SealSignatureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Signers_that_every_user_may_write_are_refused()
    {
        var run = RunFolder.Create(_folder.At("run"));
        var signers = _folder.Write("signers", "");
        File.SetUnixFileMode(signers, File.GetUnixFileMode(signers) | UnixFileMode.OtherWrite);
        var refused = Assert.Throws<ConfigurationException>(() => SealSignature.Verify(run, signers, null, demand: false));
        Assert.Contains("only its owner and its group", refused.Message, StringComparison.Ordinal);
    }
}
