using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Records.Tests.Trajectories;
using LlmStageAudit.Records.Trajectories;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Records.Tests.Fuzzing;

public sealed class TrajectoryFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Only an unchanged log, or one cut off at the end of a record, reads as whole: everything else breaks the chain.</summary>
    [Fact]
    public void Damaged_logs_are_refused()
    {
        var whole = File.ReadAllBytes(SampleLog.Write(_folder, count: 4));
        var ends = Enumerable.Range(0, 5)
            .Select(count => (long)File.ReadAllBytes(SampleLog.Write(_folder, count, $"{count}.log")).Length)
            .ToArray();
        var path = _folder.At("fuzz.log");
        new FuzzCampaign("trajectory log", 60_000).Run(
            random => Damage(whole, ends, random),
            bytes =>
            {
                File.WriteAllBytes(path, bytes);
                Assert.InRange(SampleLog.ReadAll(path), 0, 4);
            },
            bytes => !whole.AsSpan().StartsWith(bytes) || !ends.Contains(bytes.Length));
    }

    private static byte[] Damage(byte[] whole, long[] ends, StableRandom random)
    {
        if (random.Next(20) == 0) return whole[..(int)ends[random.Next(ends.Length)]];
        var bytes = JsonMutator.ChangeBytes(whole, random);
        for (var count = random.Next(3); count > 0; count--) bytes = JsonMutator.ChangeBytes(bytes, random);

        // Lengths that ask for much more than there is.
        if (random.Next(4) == 0 && bytes.Length > 40)
            BitConverter.GetBytes(random.NextUInt64() >> random.Next(60)).CopyTo(bytes, 20 + random.Next(4));
        return bytes;
    }
}
