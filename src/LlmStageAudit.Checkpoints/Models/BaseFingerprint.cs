using System.Globalization;
using System.Security.Cryptography;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>
/// Tells base models apart at the cost of their first pages: SHA-256 over name, dtype, shape and the first and last 4 KiB of every tensor,
/// in the order of the names, however they are spread over files. What trains a model further changes all of its tensors.
/// </summary>
public static class BaseFingerprint
{
    private const int Edge = 4096;

    /// <summary>64 lower-case hexadecimal digits; null where the folder has no weights.</summary>
    /// <exception cref="CheckpointException">A file was shortened after it was opened.</exception>
    public static string? Of(ModelFolder folder)
    {
        if (folder.Tensors.Count == 0) return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> edge = stackalloc byte[Edge];
        foreach (var (name, (file, entry)) in folder.Tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(
                CultureInfo.InvariantCulture, $"{name}\n{entry.Dtype}\n{string.Join(',', entry.Shape)}\n")));
            var part = edge[..(int)Math.Min(Edge, entry.SizeBytes)];
            if (part.IsEmpty) continue;
            file.Copy(entry, 0, part);
            hash.AppendData(part);
            file.Copy(entry, entry.SizeBytes - part.Length, part);
            hash.AppendData(part);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
