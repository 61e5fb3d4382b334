using System.Text;
using System.Text.Json;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Seals;

/// <summary>Digests of seals: SHA-256 over their one-line JSON, as lower-case hexadecimal.</summary>
internal static class SealDigest
{
    /// <summary>What the first seal of a run is chained to.</summary>
    public static string Genesis(string runId) => ContentHash.OfBytes(Encoding.UTF8.GetBytes($"stageaudit seal/{runId}"));

    public static string Of(SealEntry entry) => OfJson(entry with { Sha256 = null });

    public static string Of(RunSeal seal) => OfJson(seal with { Sha256 = null });

    public static SealEntry Close(SealEntry entry) => entry with { Sha256 = Of(entry) };

    public static RunSeal Close(RunSeal seal) => seal with { Sha256 = Of(seal) };

    /// <summary>The one spelling of a record in a file.</summary>
    public static byte[] FileBytes<T>(T record) => [.. JsonSerializer.SerializeToUtf8Bytes(record, ArtifactJson.Options), (byte)'\n'];

    public static string OfJson<T>(T value) => ContentHash.OfBytes(JsonSerializer.SerializeToUtf8Bytes(value, ArtifactJson.CompactOptions));
}
