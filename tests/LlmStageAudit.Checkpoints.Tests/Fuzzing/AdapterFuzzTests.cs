using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Checkpoints.Tests.Fuzzing;

public sealed class AdapterFuzzTests : IDisposable
{
    private const string First = "gpt_neox.layers.0.attention.query_key_value";
    private const string Second = "gpt_neox.layers.1.attention.query_key_value";

    private static readonly byte[][] Seeds =
    [
        Encoding.UTF8.GetBytes("""
            {"peft_type":"LORA","task_type":"SEQ_CLS","r":2,"lora_alpha":4,"lora_dropout":0.05,"target_modules":["query_key_value","dense"],
            "modules_to_save":["classifier","score"],"bias":"none","rank_pattern":{"layers.1.attention.query_key_value":3},
            "alpha_pattern":{"query_.*":8.5},"layers_to_transform":[0,1],"layers_pattern":"layers","use_dora":false,"use_rslora":true,
            "fan_in_fan_out":false,"init_lora_weights":true,"loftq_config":{},"layer_replication":null,"peft_version":"0.17.0"}
            """),
        Encoding.UTF8.GetBytes("""
            {"peft_type":"LORA","r":2,"target_modules":".*\\.(query_key_value|dense)","exclude_modules":".*mlp.*",
            "rank_pattern":{"^gpt_neox.layers.1.*":3},"base_model_name_or_path":"x/y","inference_mode":true}
            """),
    ];

    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    /// <summary>
    /// Beside weights that fit the undamaged file: ranks agree with the tensors, and scalings are what the formula gives.
    /// </summary>
    [Fact]
    public void Damaged_adapter_configurations_load_soundly_or_fail_typed()
    {
        SafetensorsWriter.Write(_scratch["a/adapter_model.safetensors"], [.. Pair(First, 2), .. Pair(Second, 3)]);
        new FuzzCampaign("adapter_config.json", 50_000).Run(
            random => JsonMutator.Mutate(Seeds[random.Next(Seeds.Length)], random),
            bytes =>
            {
                _scratch.WriteBytes("a/adapter_config.json", bytes);
                CheckSound(AdapterFolder.Read(_scratch["a"]).Config, bytes);
            },
            bytes => JsonSpans.Of(bytes) is not { HasRepeatedKeys: false });
    }

    /// <summary>Whatever the tensors are called, none is lost or made up, and both factors of a module are there.</summary>
    [Fact]
    public void Damaged_names_of_tensors_load_soundly_or_fail_typed()
    {
        string[] parts =
            ["lora_A", "lora_B", "default", "other", "weight", "bias", "modules_to_save", "original_module", "base_layer", "", "."];
        _scratch.WriteBytes("n/adapter_config.json", Seeds[0]);
        new FuzzCampaign("names in adapter_model.safetensors", 20_000).Run(
            random =>
            {
                var header = new JsonObject();
                foreach (var (index, factor) in new[] { "lora_A", "lora_B" }.Index())
                {
                    List<string> name = [.. $"base_model.model.{First}.{factor}.default.weight".Split('.')];
                    for (var count = random.Next(3); count > 0; count--)
                    {
                        var at = random.Next(name.Count);
                        if (random.Next(3) == 0) name.RemoveAt(at);
                        else if (random.Next(2) == 0) name[at] = parts[random.Next(parts.Length)];
                        else name.Insert(at, parts[random.Next(parts.Length)]);
                    }

                    var (rows, columns) = index == 0 ? (2, 4) : (5, 2);
                    header[string.Join('.', name)] = new JsonObject
                    {
                        ["dtype"] = "F32",
                        ["shape"] = new JsonArray(rows, columns),
                        ["data_offsets"] = new JsonArray(32 * index, 32 + (40 * index)),
                    };
                }

                return ScratchFolder.Raw(Encoding.UTF8.GetBytes(header.ToJsonString()), new byte[header.Count == 2 ? 72 : 32]);
            },
            bytes =>
            {
                _scratch.WriteBytes("n/adapter_model.safetensors", bytes);
                var tensors = AdapterFolder.Read(_scratch["n"]).Tensors;
                Assert.InRange(tensors.Count, 0, 2);
                Assert.All(tensors, tensor => Assert.Equal(tensor.Key, tensor.Value.Name));
                foreach (var name in tensors.Keys.Where(name => name.EndsWith(".lora_A.weight", StringComparison.Ordinal)))
                    Assert.Contains(name.Replace(".lora_A.weight", ".lora_B.weight", StringComparison.Ordinal), tensors.Keys);
            },
            bytes => Encoding.Latin1.GetString(bytes) is var text && Holds(text, "lora_A", "other") != Holds(text, "lora_B", "other")
                && Holds(text, "lora_A", "default") != Holds(text, "lora_B", "default"));

        static bool Holds(string text, string factor, string adapter) =>
            text.Contains($"query_key_value.{factor}.{adapter}.weight\"", StringComparison.Ordinal);
    }

    private void CheckSound(LoraConfig read, byte[] bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        Assert.Equal("LORA", document.RootElement.GetProperty("peft_type").GetString());
        Assert.Equal((2, 3), (read.RankOf(First), read.RankOf(Second)));
        Assert.InRange(read.Dropout, 0, 0.9999999999);
        Assert.True(read.TargetModules.Count > 0 ^ read.TargetPattern is not null);
        Assert.Equal("none", read.Bias);
        foreach (var (module, rank) in new[] { (First, 2), (Second, 3) })
        {
            var scaling = read.ScalingOf(module);
            Assert.True(double.IsFinite(scaling));
            Assert.Equal(read.UseRslora ? read.AlphaOf(module) / Math.Sqrt(rank) : read.AlphaOf(module) / rank, scaling);
            _ = read.Targets(module);
        }

        // What was read can be written, and reads back the same.
        read.Write(_scratch["again/adapter_config.json"]);
        var again = LoraConfig.Read(_scratch["again/adapter_config.json"]);
        Assert.Equal((read.Rank, read.Alpha, read.Dropout, read.UseRslora), (again.Rank, again.Alpha, again.Dropout, again.UseRslora));
        Assert.Equal(read.RankPattern, again.RankPattern);
        Assert.Equal(read.AlphaPattern, again.AlphaPattern);
        Assert.Equal(read.TargetModules, again.TargetModules);
        Assert.Equal(read.TargetPattern, again.TargetPattern);
    }

    private static HostTensor[] Pair(string module, int rank) =>
    [
        new($"base_model.model.{module}.lora_A.weight", [rank, 4], new float[4 * rank]),
        new($"base_model.model.{module}.lora_B.weight", [5, rank], new float[5 * rank]),
    ];
}
