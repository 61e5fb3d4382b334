using System.Security.Cryptography;
using System.Text.Json;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Seals;

namespace LlmStageAudit.Training.Tests.Verification;

/// <summary>The digest of a seal, computed here a second time.</summary>
internal static class SealJson
{
    public static RunSeal Rejoin(RunSeal seal)
    {
        var text = JsonSerializer.SerializeToUtf8Bytes(seal with { Sha256 = null }, ArtifactJson.CompactOptions);
        return seal with { Sha256 = Convert.ToHexStringLower(SHA256.HashData(text)) };
    }
}
