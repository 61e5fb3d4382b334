using System.Security.Cryptography;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Foundation.Files;

/// <summary>SHA-256 of files, as lower-case hexadecimal: what manifests pin their inputs with.</summary>
public static class ContentHash
{
    /// <summary>64 hexadecimal digits of a regular file's content.</summary>
    public static string OfFile(string path)
    {
        using var stream = ForeignFile.OpenRead(path, bufferBytes: 1 << 16);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>64 hexadecimal digits of the bytes.</summary>
    public static string OfBytes(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
