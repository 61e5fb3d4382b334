using System.Security.Cryptography;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Records.Progress;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Records.Tests.Fuzzing;

public sealed class ProgressFuzzTests : IDisposable
{
    private static readonly byte[] s_key = SHA256.HashData("a question"u8);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Most inputs get a right checksum again, so that the counts behind it are what is tried.</summary>
    [Fact]
    public void Damaged_progress_loads_soundly_or_fails_typed()
    {
        var path = _folder.At("walk.progress");
        ProgressFile.Write(
            path,
            s_key,
            new Dictionary<string, double[]> { ["done"] = [3], ["state.theta"] = [.. Enumerable.Range(0, 40).Select(i => i / 3.0)] });
        var whole = File.ReadAllBytes(path);
        new FuzzCampaign("progress", 40_000).Run(
            random => Damage(whole, random),
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                if (ProgressFile.Read(path, s_key) is not { } read) return;
                Assert.True(read.Sum(pair => pair.Value.Length) * sizeof(double) < bytes.Length);
            },
            bytes => bytes.Length < 76 || !SHA256.HashData(bytes.AsSpan(..^32)).AsSpan().SequenceEqual(bytes.AsSpan(^32..)));
    }

    private static byte[] Damage(byte[] whole, StableRandom random)
    {
        var bytes = JsonMutator.ChangeBytes(whole, random);
        for (var count = random.Next(3); count > 0; count--) bytes = JsonMutator.ChangeBytes(bytes, random);
        if (bytes.Length > 60 && random.Next(4) == 0)
            BitConverter.GetBytes(random.NextUInt64() >> random.Next(60)).CopyTo(bytes, 40 + random.Next(12));
        if (bytes.Length > 32 && random.Next(4) > 0) SHA256.HashData(bytes.AsSpan(..^32)).CopyTo(bytes.AsSpan(^32..));
        return bytes;
    }
}
