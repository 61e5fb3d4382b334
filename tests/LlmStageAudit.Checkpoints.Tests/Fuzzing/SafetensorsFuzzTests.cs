using System.Buffers.Binary;
using System.Text;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Checkpoints.Tests.Fuzzing;

public sealed class SafetensorsFuzzTests : IDisposable
{
    private const int DataBytes = 64;

    private static readonly byte[][] Seeds =
    [
        Header("""{"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b.w":{"dtype":"F16","shape":[20],"data_offsets":[24,64]}}"""),
        Header("""
            {"__metadata__":{"format":"pt"},"x":{"dtype":"BF16","shape":[4,0,9],"data_offsets":[0,0]},
            "y":{"dtype":"F64","shape":[8],"data_offsets":[0,64]}}
            """ + "  "),
        Header("""
            {"s":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"t":{"data_offsets":[1,64],"more":[1],"shape":[7,9],"dtype":"I8"}}
            """),
        Header("""{"q":{"dtype":"F4","shape":[64,2],"data_offsets":[0,64]}}"""),
    ];

    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>
    /// A file loads exactly where the rules, written down a second time, are kept; and then every tensor lies in it and can be read.
    /// </summary>
    [Fact]
    public void Damaged_headers_load_soundly_or_fail_typed() => new FuzzCampaign("safetensors headers", 200_000).Run(
        random => Damage(Seeds[random.Next(Seeds.Length)], random),
        bytes =>
        {
            using var file = SafetensorsFile.Open(_scratch.WriteBytes("fuzz.safetensors", bytes));
            CheckSound(file, bytes);
        },
        bytes => !SafetensorsRules.AreKept(bytes),
        SafetensorsRules.AreKept);

    /// <summary>Bytes of the whole file changed, cut, doubled or lost: lengths, offsets and sizes against each other.</summary>
    [Fact]
    public void Damaged_files_load_soundly_or_fail_typed() => new FuzzCampaign("safetensors files", 60_000).Run(
        random =>
        {
            var data = new byte[DataBytes];
            var file = ScratchFolder.Raw(Seeds[random.Next(Seeds.Length)], data);
            for (var count = 1 + random.Next(3); count > 0; count--) file = Cut(JsonMutator.ChangeBytes(file, random), random);
            return file;
        },
        bytes =>
        {
            using var file = SafetensorsFile.Open(_scratch.WriteBytes("body.safetensors", bytes));
            CheckSound(file, bytes);
        },
        bytes => !SafetensorsRules.AreKept(bytes),
        SafetensorsRules.AreKept);

    [Fact]
    public void The_rules_hold_for_what_the_writer_writes()
    {
        SafetensorsWriter.Write(
            _scratch["w"], [new("a", [2, 3], new float[6]), new("b.weight", [4], new float[4]), new("c", [], new float[1])]);
        var bytes = File.ReadAllBytes(_scratch["w"]);
        Assert.True(SafetensorsRules.AreKept(bytes));
        Assert.False(SafetensorsRules.AreKept(bytes[..^1]));
        Assert.All(Seeds, seed => Assert.True(SafetensorsRules.AreKept(ScratchFolder.Raw(seed, new byte[DataBytes]))));
    }

    private static void CheckSound(SafetensorsFile file, byte[] bytes)
    {
        var headerBytes = 8 + BinaryPrimitives.ReadInt64LittleEndian(bytes);
        var next = headerBytes;
        foreach (var (name, entry) in file.Tensors)
        {
            Assert.Equal(name, entry.Name);
            Assert.Equal(next, entry.OffsetBytes);
            next += entry.SizeBytes;
            Assert.Equal(entry.ElementCount * entry.Dtype.SizeBits(), entry.SizeBytes * 8);
            var read = new byte[entry.SizeBytes];
            file.Copy(entry, 0, read);
            Assert.True(bytes.AsSpan((int)entry.OffsetBytes, read.Length).SequenceEqual(read));
            if (entry.Dtype is SafetensorsDtype.F32 or SafetensorsDtype.F16 or SafetensorsDtype.BF16 or SafetensorsDtype.F64)
            {
                Assert.Equal(entry.ElementCount, file.ReadSingles(name).Length);
            }
        }

        Assert.Equal(bytes.Length, next);
    }

    private static byte[] Damage(byte[] seed, StableRandom random)
    {
        var header = JsonMutator.Mutate(seed, random);
        var data = new byte[DataBytes];
        for (var i = 0; i < data.Length; i++) data[i] = (byte)random.Next(256);
        if (random.Next(10) == 0) data = data[..random.Next(DataBytes)];
        ulong? length = random.Next(20) switch
        {
            0 => (ulong)random.Next(300),
            1 => random.NextUInt64(),
            2 => (ulong)header.Length + 1,
            3 => 100_000_000,
            _ => null,
        };
        var file = ScratchFolder.Raw(header, data, length);
        return random.Next(20) == 0 ? JsonMutator.ChangeBytes(file, random) : file;
    }

    // A third of the files are left alone here: what was changed before may be in the numbers' bytes only, and then they load.
    private static byte[] Cut(byte[] file, StableRandom random) => random.Next(6) switch
    {
        0 => file[..random.Next(file.Length + 1)],
        1 => [.. file, .. new byte[random.Next(20)]],
        2 when file.Length >= 8 => [.. BitConverter.GetBytes(BitConverter.ToUInt64(file) + (ulong)random.Next(16) - 8), .. file[8..]],
        _ => file,
    };

    private static byte[] Header(string text) => Encoding.UTF8.GetBytes(text);
}
