using System.Security.Cryptography;
using LlmStageAudit.Records.Progress;

namespace LlmStageAudit.Records.Tests.Progress;

public sealed class ProgressFileTests : IDisposable
{
    private static readonly byte[] s_key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private readonly TemporaryFolder _folder = new();

    private string At => _folder.At("walk.progress");

    [Fact]
    public void Numbers_come_back_bit_for_bit()
    {
        var values = new Dictionary<string, double[]>
        {
            ["one"] = [1.5, double.Epsilon, -0.0, double.NaN, double.NegativeInfinity, Math.PI], ["none"] = [], ["größe"] = [1],
        };
        ProgressFile.Write(At, s_key, values);
        var read = ProgressFile.Read(At, s_key)!;
        Assert.Equal(values.Keys, read.Keys);
        Assert.All(
            values,
            pair => Assert.Equal(
                pair.Value.Select(BitConverter.DoubleToInt64Bits), read[pair.Key].Select(BitConverter.DoubleToInt64Bits)));
    }

    [Fact]
    public void What_is_not_there_or_of_another_computation_is_nothing()
    {
        Assert.Null(ProgressFile.Read(At, s_key));
        ProgressFile.Write(At, s_key, new Dictionary<string, double[]> { ["one"] = [1] });
        Assert.Null(ProgressFile.Read(At, new byte[32]));
    }

    [Fact]
    public void Every_changed_bit_and_every_cut_is_noticed()
    {
        ProgressFile.Write(At, s_key, new Dictionary<string, double[]> { ["one"] = [1, 2], ["two"] = [3] });
        var bytes = File.ReadAllBytes(At);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var changed = bytes.ToArray();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            File.WriteAllBytes(At, changed);
            Assert.Throws<ProgressException>(() => ProgressFile.Read(At, s_key));
        }

        for (var length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(At, bytes[..length]);
            Assert.Throws<ProgressException>(() => ProgressFile.Read(At, s_key));
        }
    }

    /// <summary>A right checksum over counts that the file cannot hold.</summary>
    [Theory]
    [InlineData(40, 0xff)]
    [InlineData(44, 0xff)]
    [InlineData(49, 0xff)]
    [InlineData(52, 0x7f)]
    public void Counts_beyond_the_file_are_refused_before_memory_is_asked_for(int place, byte value)
    {
        ProgressFile.Write(At, s_key, new Dictionary<string, double[]> { ["one"] = [1, 2] });
        var bytes = File.ReadAllBytes(At);
        bytes[place] = value;
        SHA256.HashData(bytes.AsSpan(..^32)).CopyTo(bytes.AsSpan(^32..));
        File.WriteAllBytes(At, bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ProgressException>(() => ProgressFile.Read(At, s_key));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    public void Dispose() => _folder.Dispose();
}
