using System.Text.Json;
using System.Text;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Checkpoints.Tests.Fuzzing;

public sealed class ShardIndexFuzzTests : IDisposable
{
    private static readonly byte[] Seed = Encoding.UTF8.GetBytes("""
        {"metadata":{"total_size":24},"weight_map":{"a":"1.safetensors","b":"1.safetensors","c":"2.safetensors"}}
        """);

    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>What loads places every tensor of the index in the file it names, and nothing outside the folder is opened.</summary>
    [Fact]
    public void Damaged_shard_indices_load_soundly_or_fail_typed()
    {
        _scratch.WriteText("m/config.json", """{"model_type":"gpt_neox"}""");
        SafetensorsWriter.Write(_scratch["m/1.safetensors"], [Tensor("a"), Tensor("b")]);
        SafetensorsWriter.Write(_scratch["m/2.safetensors"], [Tensor("c")]);
        SafetensorsWriter.Write(_scratch["x.safetensors"], [Tensor("outside")]);
        new FuzzCampaign("model.safetensors.index.json", 50_000).Run(
            random => JsonMutator.Mutate(Seed, random),
            bytes =>
            {
                _scratch.WriteBytes("m/model.safetensors.index.json", bytes);
                using var model = ModelFolder.Open(_scratch["m"]);
                CheckSound(model, bytes);
            },
            bytes => JsonSpans.Of(bytes) is not { HasRepeatedKeys: false });
    }

    private static void CheckSound(ModelFolder model, byte[] bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        foreach (var place in document.RootElement.GetProperty("weight_map").EnumerateObject())
        {
            Assert.Equal(place.Value.GetString(), Path.GetFileName(model.Tensors[place.Name].File.Path));
        }

        Assert.All(model.Tensors, tensor => Assert.Equal([1f, 2f], tensor.Value.File.ReadSingles(tensor.Key)));
        Assert.DoesNotContain("outside", model.Tensors.Keys);
    }

    private static HostTensor Tensor(string name) => new(name, [2], new[] { 1f, 2f });
}
