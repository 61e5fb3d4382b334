using LlmStageAudit.Artifacts.Randomness;
using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Checkpoints.Tests.Safetensors;

public sealed class SafetensorsFuzzTests : IDisposable
{
    private static readonly string[] Splices =
        ["9223372036854775807", "-1", "\"", "}", "{", "[", "]", ",", ":", "null", "0", "\"F16\"", "__metadata__", "\\ud800"];

    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>Whatever happens to the bytes: the typed error, or a file whose tensors lie in it in sequence and can be read.</summary>
    [Fact]
    public void Mutated_files_load_soundly_or_fail_typed()
    {
        var path = _scratch["seed.safetensors"];
        SafetensorsWriter.Write(path, [new("a", [2, 3], new float[6]), new("b.weight", [4], new float[4]), new("c", [], new float[1])]);
        var seed = File.ReadAllBytes(path);
        var random = StableRandom.For(20260726, "safetensors-fuzz");
        var (loaded, refused) = (0, 0);
        for (var round = 0; round < 5000; round++)
        {
            File.WriteAllBytes(path, Mutate(seed, random));
            try
            {
                using var file = SafetensorsFile.Open(path);
                CheckSound(file);
                loaded++;
            }
            catch (SafetensorsException)
            {
                refused++;
            }
        }

        Assert.True(loaded > 100, $"only {loaded} mutations loaded");
        Assert.True(refused > 2000, $"only {refused} mutations were refused");
    }

    private static void CheckSound(SafetensorsFile file)
    {
        var sizeBytes = new FileInfo(file.Path).Length;
        long? next = null;
        foreach (var (name, entry) in file.Tensors)
        {
            Assert.Equal(name, entry.Name);
            if (next is { } expected) Assert.Equal(expected, entry.OffsetBytes);
            next = entry.OffsetBytes + entry.SizeBytes;
            Assert.Equal(entry.ElementCount * entry.Dtype.SizeBits(), entry.SizeBytes * 8);
            file.CopyTo(entry, new byte[entry.SizeBytes]);
            if (entry.Dtype is SafetensorsDtype.F32) Assert.Equal(entry.ElementCount, file.ReadSingles(name).Length);
        }

        Assert.Equal(sizeBytes, next ?? sizeBytes);
    }

    private static byte[] Mutate(byte[] seed, StableRandom random)
    {
        var bytes = seed.ToList();
        for (var count = 1 + random.Next(3); count > 0; count--)
        {
            // Half of the changes hit the header, where they matter most.
            var at = random.Next(2) == 0 ? random.Next(bytes.Count) : random.Next(Math.Min(bytes.Count, 220));
            switch (random.Next(6))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveAt(at);
                    break;
                case 3:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 4:
                    bytes.InsertRange(at, System.Text.Encoding.UTF8.GetBytes(Splices[random.Next(Splices.Length)]));
                    break;
                default:
                    bytes[at] = (byte)('0' + random.Next(10));
                    break;
            }

            if (bytes.Count == 0) break;
        }

        return [.. bytes];
    }
}
