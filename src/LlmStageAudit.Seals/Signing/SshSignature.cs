using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace LlmStageAudit.Seals.Signing;

/// <summary>
/// What an SSH signature says of itself: the armoured form of OpenSSH's PROTOCOL.sshsig ("SSHSIG", u32 version, then strings with a
/// big-endian length before them: public key, namespace, reserved, hash algorithm, signature). Says nothing about whether it holds.
/// </summary>
/// <param name="KeyType">Such as <c>ssh-ed25519</c>.</param>
/// <param name="PublicKey">The key as public-key files and allowed-signers files have it, base64.</param>
/// <param name="Fingerprint">As ssh-keygen prints it: <c>SHA256:</c> and base64 without padding.</param>
/// <param name="Namespace">What the signature was made for.</param>
public sealed record SshSignature(string KeyType, string PublicKey, string Fingerprint, string Namespace)
{
    private const string Begin = "-----BEGIN SSH SIGNATURE-----";
    private const string End = "-----END SSH SIGNATURE-----";

    internal bool IsEd25519 => KeyType is "ssh-ed25519" or "sk-ssh-ed25519@openssh.com";

    /// <summary>Reads an armoured signature.</summary>
    /// <returns>Null where the text is no SSH signature.</returns>
    public static SshSignature? Parse(string text)
    {
        var body = text.ReplaceLineEndings("\n").Trim();
        if (!body.StartsWith(Begin, StringComparison.Ordinal) || !body.EndsWith(End, StringComparison.Ordinal)) return null;
        try
        {
            ReadOnlySpan<byte> rest = Convert.FromBase64String(body[Begin.Length..^End.Length].Replace("\n", "", StringComparison.Ordinal));
            if (!rest.StartsWith("SSHSIG"u8) || rest.Length < 10 || BinaryPrimitives.ReadUInt32BigEndian(rest[6..]) != 1) return null;
            rest = rest[10..];
            var key = Next(ref rest);
            var name = Encoding.UTF8.GetString(Next(ref rest));
            var inner = key;
            var type = Encoding.ASCII.GetString(Next(ref inner));
            return new SshSignature(
                type, Convert.ToBase64String(key), $"SHA256:{Convert.ToBase64String(SHA256.HashData(key)).TrimEnd('=')}", name);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentOutOfRangeException or OverflowException)
        {
            return null;
        }
    }

    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> rest)
    {
        var length = checked((int)BinaryPrimitives.ReadUInt32BigEndian(rest));
        var value = rest.Slice(sizeof(uint), length);
        rest = rest[(sizeof(uint) + length)..];
        return value;
    }
}
