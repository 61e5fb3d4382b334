using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Checkpoints.Tests.Safetensors;

/// <summary>Files that the reference library wrote.</summary>
public sealed class SafetensorsGoldenTests
{
    [SharedFact]
    public void Every_reference_file_opens_and_every_tensor_is_finite()
    {
        var paths = Directory.GetFiles(SharedFiles.Goldens, "*.safetensors", SearchOption.AllDirectories);
        Assert.True(paths.Length >= 19);
        foreach (var path in paths)
        {
            using var file = SafetensorsFile.Open(path);
            Assert.NotEmpty(file.Tensors);
            foreach (var (name, entry) in file.Tensors)
            {
                if (entry.Dtype is SafetensorsDtype.I32 or SafetensorsDtype.I64) continue; // places of elements, not values
                Assert.All(file.ReadSingles(name), value => Assert.True(float.IsFinite(value)));
            }
        }
    }

    [SharedFact]
    public void Names_shapes_and_hashes_are_those_on_record()
    {
        foreach (var family in (string[])["gpt_neox", "gemma", "gemma3", "llama"])
        {
            var record = SharedFiles.Json(family, "golden.json");
            foreach (var hash in record.GetProperty("sha256").EnumerateObject())
            {
                Assert.Equal(hash.Value.GetString(), ContentHash.OfFile(SharedFiles.Golden(family, hash.Name)));
            }

            using var file = SafetensorsFile.Open(SharedFiles.Golden(family, "model.safetensors"));
            var parameters = record.GetProperty("parameters").EnumerateObject().ToList();
            var names = parameters.Select(parameter => parameter.Name).Order(StringComparer.Ordinal);
            Assert.Equal(names, file.Tensors.Keys.Order(StringComparer.Ordinal));
            foreach (var parameter in parameters)
            {
                Assert.Equal(parameter.Value.EnumerateArray().Select(size => size.GetInt64()), file.Tensors[parameter.Name].Shape);
            }
        }
    }

    /// <summary>The bfloat16 files hold the float32 weights rounded to nearest, ties to even: a check of both readers.</summary>
    [SharedFact]
    public void Bfloat16_files_hold_the_rounded_weights()
    {
        foreach (var family in (string[])["gpt_neox", "gemma", "gemma3", "llama"])
        {
            using var full = SafetensorsFile.Open(SharedFiles.Golden(family, "model.safetensors"));
            using var rounded = SafetensorsFile.Open(SharedFiles.Golden(family, "bf16", "model.safetensors"));
            foreach (var name in full.Tensors.Keys)
            {
                var expected = full.ReadSingles(name).Select(value =>
                {
                    var bits = BitConverter.SingleToUInt32Bits(value);
                    return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
                });
                Assert.Equal(expected, rounded.ReadSingles(name));
            }
        }
    }

    [SharedFact]
    public void Rewriting_a_reference_file_gives_its_bytes()
    {
        var scratch = Directory.CreateTempSubdirectory("checkpoints-");
        try
        {
            var source = SharedFiles.Golden("gpt_neox", "model.safetensors");
            var target = Path.Combine(scratch.FullName, "again.safetensors");
            using (var file = SafetensorsFile.Open(source))
            {
                var entries = file.Tensors.Values.ToList();
                var outlines = entries.Select(entry => new TensorOutline(entry.Name, entry.Shape)).ToList();
                SafetensorsWriter.Write(target, outlines, index => file.ReadSingles(entries[index].Name));
            }

            Assert.Equal(File.ReadAllBytes(source), File.ReadAllBytes(target));
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }
}
