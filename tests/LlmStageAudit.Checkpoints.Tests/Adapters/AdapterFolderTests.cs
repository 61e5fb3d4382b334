using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Checkpoints.Tests.Safetensors;

namespace LlmStageAudit.Checkpoints.Tests.Adapters;

public sealed class AdapterFolderTests : IDisposable
{
    private const string Key = "base_model.model.gpt_neox.layers.0.attention.query_key_value";

    private static readonly LoraConfig Config = new()
    {
        Rank = 2,
        Alpha = 4,
        TargetModules = ["query_key_value"],
        BaseModelNameOrPath = "a \"b\"",
    };

    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [SharedFact]
    public void Reference_adapters_are_rewritten_byte_for_byte()
    {
        foreach (var name in (string[])["lora", "lora_rslora", "lora_seqcls"])
        {
            var source = SharedFiles.Golden("gpt_neox", name);
            var (config, tensors) = AdapterFolder.Read(source);
            Assert.Empty(config.Warnings);
            Assert.Equal(SharedFiles.Json("gpt_neox", name, "golden.json").GetProperty("scaling").GetDouble(), config.Scaling, 12);

            AdapterFolder.Write(_scratch[name], config, [.. tensors.Values]);

            foreach (var file in (string[])[AdapterFolder.ConfigFile, AdapterFolder.WeightsFile])
            {
                Assert.Equal(File.ReadAllBytes(Path.Combine(source, file)), File.ReadAllBytes(_scratch[$"{name}/{file}"]));
            }
        }
    }

    [SharedFact]
    public void Reference_adapters_hold_exactly_the_modules_they_target()
    {
        var (config, tensors) = AdapterFolder.Read(SharedFiles.Golden("gpt_neox", "lora_rslora"));
        using var model = SafetensorsFile.Open(SharedFiles.Golden("gpt_neox", "model.safetensors"));
        const string weight = ".weight";
        var modules = model.Tensors.Keys.Where(name => name.EndsWith(weight, StringComparison.Ordinal))
            .Select(name => name[..^weight.Length]);
        var held = tensors.Keys.Where(key => key.EndsWith("lora_B.weight", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

        var expected = modules.Where(config.Targets).Select(module => $"{AdapterFolder.KeyPrefix}{module}.lora_B.weight");

        Assert.Equal(expected.Order(StringComparer.Ordinal), held);
        Assert.Contains("base_model.model.score.weight", AdapterFolder.Read(SharedFiles.Golden("gpt_neox", "lora_seqcls")).Tensors.Keys);
    }

    [Fact]
    public void Written_folder_reads_back_with_a_readme()
    {
        AdapterFolder.Write(_scratch["a"], Config, [.. Factors()]);
        var (config, tensors) = AdapterFolder.Read(_scratch["a"]);

        Assert.Equal(2.0, config.Scaling);
        Assert.Equal([$"{Key}.lora_A.weight", $"{Key}.lora_B.weight"], tensors.Keys);
        Assert.Equal([5f, 6f, 7f, 8f, 9f, 10f], tensors[$"{Key}.lora_B.weight"].Values.ToArray());
        Assert.Equal([3L, 2L], tensors[$"{Key}.lora_B.weight"].Shape);
        Assert.StartsWith("---\nbase_model: \"a ", File.ReadAllText(_scratch["a/README.md"]));
    }

    [Fact]
    public void Half_precision_adapters_are_widened()
    {
        Config.Write(_scratch["h/adapter_config.json"]);
        var header =
            ("""{"KEY.lora_A.weight":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]}"""
            + ""","KEY.lora_B.weight":{"dtype":"F16","shape":[1,2],"data_offsets":[4,8]}}""").Replace("KEY", Key, StringComparison.Ordinal);
        _scratch.WriteRaw(header, [0x80, 0x3F, 0x00, 0xC0, 0x00, 0x3C, 0x00, 0xC0], name: "h/adapter_model.safetensors");

        var tensors = AdapterFolder.Read(_scratch["h"]).Tensors;

        Assert.Equal([1f, -2f], tensors[$"{Key}.lora_A.weight"].Values.ToArray());
        Assert.Equal([1f, -2f], tensors[$"{Key}.lora_B.weight"].Values.ToArray());
    }

    /// <summary>The names of a model's state_dict, which hold the adapter's own, and those that save_pretrained writes.</summary>
    [Fact]
    public void Names_of_a_state_dict_are_read_as_those_of_a_saved_adapter()
    {
        var factors = Factors().ToList();
        HostTensor[] raw =
        [
            factors[0] with { Name = $"{Key}.lora_A.default.weight" }, factors[1] with { Name = $"{Key}.lora_B.default.weight" },
            new("base_model.model.score.modules_to_save.default.weight", [1], new[] { 3f }),
            new("base_model.model.score.original_module.weight", [1], new[] { 4f }),
        ];
        AdapterFolder.Write(_scratch["raw"], Config, raw);
        var (config, tensors) = AdapterFolder.Read(_scratch["raw"]);
        Assert.Equal([$"{Key}.lora_A.weight", $"{Key}.lora_B.weight", "base_model.model.score.weight"], tensors.Keys);
        Assert.Equal([3f], tensors["base_model.model.score.weight"].Values.ToArray());
        Assert.Contains("lora_A.default.weight", Assert.Single(config.Warnings));

        AdapterFolder.Write(
            _scratch["compiled"], Config, [.. factors.Select(tensor => tensor with { Name = $"_orig_mod.{tensor.Name}" })]);
        var compiled = AdapterFolder.Read(_scratch["compiled"]);
        Assert.Equal([$"{Key}.lora_A.weight", $"{Key}.lora_B.weight"], compiled.Tensors.Keys);
        Assert.Contains("_orig_mod", Assert.Single(compiled.Config.Warnings));

        AdapterFolder.Write(_scratch["two"], Config, [.. raw, factors[0] with { Name = $"{Key}.lora_A.other.weight" }]);
        Assert.Contains("holds the tensors of 2 adapters ('default', 'other')", Fault("two").Message);
        AdapterFolder.Write(_scratch["both"], Config, [.. raw, factors[0]]);
        Assert.Contains($"holds '{Key}.lora_A.weight' under two names", Fault("both").Message);
    }

    [Fact]
    public void Factors_must_pair_and_fit_the_rank()
    {
        var factors = Factors().ToList();
        AdapterFolder.Write(_scratch["lone"], Config, [factors[1]]);
        Assert.Contains($"without '{Key}.lora_A.weight'", Fault("lone").Message);
        AdapterFolder.Write(_scratch["rank"], Config with { Rank = 4 }, factors);
        Assert.Contains("shape [2, 2]; expected lora_A [4, in] and lora_B [out, 4]", Fault("rank").Message);
        AdapterFolder.Write(_scratch["pattern"], Config with { Rank = 4, RankPattern = [new("query_key_value", 2)] }, factors);
        Assert.Equal(2, AdapterFolder.Read(_scratch["pattern"]).Tensors.Count);
    }

    [Fact]
    public void Incomplete_folders_say_what_is_missing()
    {
        Assert.Contains("no such folder", Fault("x").Message);
        _scratch.WriteText("x/config.json", "{}");
        Assert.Contains("this is a whole model", Fault("x").Message);
        Config.Write(_scratch["x/adapter_config.json"]);
        Assert.Contains("holds no adapter_model.safetensors", Fault("x").Message);
        _scratch.WriteText("x/adapter_model.bin", "");
        Assert.Contains("save_file", Fault("x").Message);
        SafetensorsWriter.Write(_scratch["x/adapter_model.safetensors"], [.. Factors()]);
        Assert.Equal(2, AdapterFolder.Read(_scratch["x"]).Tensors.Count);
    }

    [Fact]
    public void Existing_folder_is_left_alone()
    {
        _scratch.WriteText("x/mine.txt", "keep");
        Assert.Throws<CheckpointException>(() => AdapterFolder.Write(_scratch["x"], Config, []));
        Assert.Single(Directory.GetFiles(_scratch["x"]));
    }

    private static IEnumerable<HostTensor> Factors() =>
    [
        new($"{Key}.lora_A.weight", [2, 2], new[] { 1f, 2f, 3f, 4f }),
        new($"{Key}.lora_B.weight", [3, 2], new[] { 5f, 6f, 7f, 8f, 9f, 10f }),
    ];

    private CheckpointException Fault(string name)
    {
        var fault = Assert.Throws<CheckpointException>(() => AdapterFolder.Read(_scratch[name]));
        Assert.DoesNotContain('\n', fault.Message);
        return fault;
    }
}
