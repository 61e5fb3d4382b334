using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Seals;
using LlmStageAudit.Seals.Signing;
using LlmStageAudit.Seals.Verification;

namespace LlmStageAudit.Auditing.Hops;

/// <summary>Which run is signed, and with what.</summary>
/// <param name="Run">A completed run's folder.</param>
/// <param name="Key">An ed25519 SSH key, or its public half where an agent holds the key.</param>
public sealed record SignRequest(string Run, string Key)
{
    /// <summary>What to call the signer in <see cref="Signed.AllowedSigner"/>: letters, digits, '.', '-', '_', '+' and '@'.</summary>
    public string Identity { get; init; } = "signer";
}

/// <summary>A signed seal.</summary>
/// <param name="Path">The signature's file.</param>
/// <param name="SealSha256">Of the seal that was signed.</param>
/// <param name="Key">Type and fingerprint.</param>
/// <param name="AllowedSigner">The line that whoever checks it needs in an allowed-signers file.</param>
public sealed record Signed(string Path, string SealSha256, string Key, string AllowedSigner);

/// <summary>Run folder -> signature of its seal, once the run is known to be what was sealed.</summary>
public static class SignHop
{
    /// <summary>Checks the run and signs.</summary>
    /// <exception cref="AuditException">The run is not what was sealed, or not completed; the key cannot sign.</exception>
    public static Signed Run(SignRequest request, WalkHost host)
    {
        if (request.Identity.Length == 0
            || !request.Identity.All(character => char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_' or '@' or '+'))
        {
            throw ConfigurationException.At(
                Setting.Identity, $"'{request.Identity}'", "letters, digits, '.', '-', '_', '+' and '@', such as a mail address");
        }

        var folder = RunFolder.OpenSealed(request.Run);
        var verification = RunVerifier.Verify(folder, demandInputs: false, host.Cancellation);
        if (!verification.IsIntact) throw SealException.NotIntact(request.Run, verification.Findings);
        if (verification.Coverage != SealCoverage.Whole) throw SealException.NotWhole(request.Run);
        var signature = SealSignature.Sign(folder, request.Key);
        return new Signed(
            folder.SignaturePath, verification.SealSha256!, $"{signature.KeyType} {signature.Fingerprint}",
            SealSignature.AllowedSigner(signature, request.Identity));
    }
}
