using System.Text;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Runs;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Seals.Verification;

namespace LlmStageAudit.Seals.Signing;

/// <summary>What is known of a seal's signature.</summary>
public enum SignatureStatus
{
    /// <summary>There is none.</summary>
    Unsigned,

    /// <summary>There is one, and no ssh-keygen to look at it.</summary>
    Unchecked,

    /// <summary>It fits the seal; whose key it is was not asked.</summary>
    Valid,

    /// <summary>It fits the seal and is by the signer that was asked for.</summary>
    Trusted,
    /// <summary>It cannot be read, does not fit the seal, or is not by the signer that was asked for.</summary>
    Invalid,
}

/// <summary>What a check of a signature found.</summary>
/// <param name="Status">The outcome.</param>
/// <param name="Signer">The identity in the signers' file; null unless it was looked up and found.</param>
/// <param name="Key">The key's type and fingerprint; null where there is no signature that can be read.</param>
/// <param name="Findings">What is wrong; empty: nothing.</param>
public sealed record SignatureVerification(SignatureStatus Status, string? Signer, string? Key, IReadOnlyList<RunFinding> Findings);

/// <summary>Signs a run's seal with an SSH key and checks such signatures, as anyone can with ssh-keygen alone.</summary>
public static class SealSignature
{
    private const long MaximumSignatureBytes = 1 << 16;

    /// <summary>
    /// Signs the seal as it lies in the folder, into <see cref="RunFolder.SignaturePath"/>.
    /// That it is worth signing is for the caller to see.
    /// </summary>
    /// <param name="folder">The run.</param>
    /// <param name="key">An ed25519 key, or its .pub where an agent holds the key.</param>
    /// <exception cref="RunFolderException">The folder is not its owner's alone, see <see cref="RunFolder.Open"/>.</exception>
    /// <exception cref="SealException">No key, another kind of key, no ssh-keygen, or it refused.</exception>
    public static SshSignature Sign(RunFolder folder, string key)
    {
        if (!File.Exists(key)) throw SealException.NoKey(key);
        folder.CheckBoundary();
        var content = ForeignFile.ReadText(folder.SealPath, ArtifactJson.MaximumSizeBytes);
        var text = SshKeygen.Sign(key, content);
        var signature = SshSignature.Parse(text) ?? throw SealException.Refused(key, "what it wrote is no signature");
        if (!signature.IsEd25519) throw SealException.OtherKey(key, signature.KeyType);
        AtomicFile.WriteText(folder.SignaturePath, text);
        return signature;
    }

    /// <summary>Checks the signature of the seal that lies in the folder. What is wrong with it is told as findings.</summary>
    /// <param name="folder">The run.</param>
    /// <param name="signers">An allowed-signers file, see ssh-keygen(1); null: whose key it is does not matter.</param>
    /// <param name="identity">Who in that file must have signed; null: anyone in it.</param>
    /// <param name="demand">Whether a seal without a signature is a finding.</param>
    /// <exception cref="ConfigurationException">There is no such signers' file, or anybody may write it.</exception>
    /// <exception cref="SealException">A check was demanded and there is no ssh-keygen.</exception>
    public static SignatureVerification Verify(RunFolder folder, string? signers, string? identity, bool demand)
    {
        if (signers is not null && !File.Exists(signers))
            throw ConfigurationException.At(signers, "no such file", "an allowed-signers file", $"check {Setting.Signers}");
        if (signers is not null && WorldWrite.Fault(signers) is { } open)
            throw ConfigurationException.At(signers, open, WorldWrite.Expected, WorldWrite.Remedy);
        var isDemanded = demand || signers is not null;
        if (!File.Exists(folder.SignaturePath) || !File.Exists(folder.SealPath))
            return new SignatureVerification(
                SignatureStatus.Unsigned, null, null, isDemanded ? [Fault(folder, "the seal is not signed")] : []);
        if (Read(folder) is not { } signature) return Invalid(folder, null, "it is no SSH signature");
        var key = $"{signature.KeyType} {signature.Fingerprint}";
        if (signature.Namespace != SshKeygen.Namespace)
            return Invalid(folder, key, $"it was made for '{signature.Namespace}', not for '{SshKeygen.Namespace}'");
        if (!signature.IsEd25519)
            return Invalid(folder, key, $"it was made with a key of type {signature.KeyType}; expected an ed25519 key");
        try
        {
            return Check(folder, signers, identity, key);
        }
        catch (SealException) when (!isDemanded)
        {
            return new SignatureVerification(SignatureStatus.Unchecked, null, key, []);
        }
    }

    /// <summary>The line that names a signature's key in an allowed-signers file.</summary>
    public static string AllowedSigner(SshSignature signature, string identity) =>
        $"{identity} namespaces=\"{SshKeygen.Namespace}\" {signature.KeyType} {signature.PublicKey}";

    private static SshSignature? Read(RunFolder folder)
    {
        try
        {
            return SshSignature.Parse(Encoding.UTF8.GetString(ForeignFile.ReadText(folder.SignaturePath, MaximumSignatureBytes)));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static SignatureVerification Check(RunFolder folder, string? signers, string? identity, string key)
    {
        var content = ForeignFile.ReadText(folder.SealPath, ArtifactJson.MaximumSizeBytes);
        if (SshKeygen.Check(folder.SignaturePath, content) is { } misfit)
            return Invalid(
                folder, key,
                "it does not fit the seal: the seal was changed after it was signed, "
                    + $"or the signature is of another run (ssh-keygen: {misfit})");
        if (signers is null) return new SignatureVerification(SignatureStatus.Valid, null, key, []);
        var signer = identity ?? SshKeygen.FindIdentity(folder.SignaturePath, signers);
        if (signer is null) return Invalid(folder, key, $"it is by the key {key}, which {signers} does not list");
        return SshKeygen.Verify(folder.SignaturePath, content, signers, signer) is { } refused
            ? Invalid(folder, key, $"it is by the key {key}, which {signers} does not list for '{signer}' (ssh-keygen: {refused})")
            : new SignatureVerification(SignatureStatus.Trusted, signer, key, []);
    }

    private static SignatureVerification Invalid(RunFolder folder, string? key, string message) =>
        new(SignatureStatus.Invalid, null, key, [Fault(folder, message)]);

    private static RunFinding Fault(RunFolder folder, string message) =>
        new(Path.GetFileName(folder.SignaturePath), null, null, FindingKind.Signature, message);
}
