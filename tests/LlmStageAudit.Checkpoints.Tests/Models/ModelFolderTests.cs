using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Checkpoints.Tests.Safetensors;

namespace LlmStageAudit.Checkpoints.Tests.Models;

public sealed class ModelFolderTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Single_file_folder_opens_with_tokenizer_and_files()
    {
        Config();
        Weights("model.safetensors", "a", "b");
        _scratch.WriteText("m/tokenizer.json", "{}");
        _scratch.WriteText("m/unrelated.txt", "");

        using var model = ModelFolder.Open(_scratch["m"]);

        Assert.True(model.HasWeights);
        model.RequireWeights();
        Assert.Equal(["a", "b"], model.Tensors.Keys);
        Assert.Equal(["config.json", "model.safetensors", "tokenizer.json"], model.Files);
        Assert.Equal(_scratch["m/tokenizer.json"], model.TokenizerPath);
        Assert.Equal([1f, 2f], model.Tensors["a"].File.ReadSingles("a"));
    }

    [Fact]
    public void Configuration_alone_opens_until_weights_are_demanded()
    {
        Config();
        using var model = ModelFolder.Open(_scratch["m"]);

        Assert.False(model.HasWeights);
        Assert.Null(model.TokenizerPath);
        Assert.Empty(model.Tensors);
        Assert.Equal(["config.json"], model.Files);
        Assert.Contains("random initialisation", Assert.Throws<CheckpointException>(model.RequireWeights).Message);
    }

    [Fact]
    public void Shards_are_joined()
    {
        Config();
        Weights("model-00001-of-00002.safetensors", "a", "b");
        Weights("model-00002-of-00002.safetensors", "c");
        Index("""{"a":"model-00001-of-00002.safetensors","b":"model-00001-of-00002.safetensors","c":"model-00002-of-00002.safetensors"}""");

        using var model = ModelFolder.Open(_scratch["m"]);

        Assert.Equal(["a", "b", "c"], model.Tensors.Keys);
        Assert.EndsWith("model-00002-of-00002.safetensors", model.Tensors["c"].File.Path);
        Assert.Equal(4, model.Files.Count);
        Assert.Contains("model.safetensors.index.json", model.Files);
    }

    [Theory]
    [InlineData("../a.safetensors")]
    [InlineData("/etc/a.safetensors")]
    [InlineData("sub/a.safetensors")]
    [InlineData("sub\\\\a.safetensors")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("weights.bin")]
    public void Shard_names_stay_inside_the_folder(string name)
    {
        Config();
        Index($$"""{"a":"{{name}}"}""");
        Assert.Contains("plain name of a .safetensors file", Fault().Message);
    }

    [Fact]
    public void Index_and_shards_must_agree()
    {
        Config();
        Weights("1.safetensors", "a");
        Weights("2.safetensors", "b");
        Index("""{"a":"1.safetensors","b":"1.safetensors"}""");
        Assert.Contains("places tensor 'b' in '1.safetensors', which does not hold it", Fault().Message);
        Index("""{"b":"1.safetensors","a":"2.safetensors"}""");
        Assert.Contains("places tensor 'b' in '1.safetensors', which does not hold it", Fault().Message);
        Index("""{"a":"1.safetensors","b":"2.safetensors","c":"3.safetensors"}""");
        Assert.Contains("'3.safetensors', which is absent", Fault().Message);
        Weights("3.safetensors", "c", "a");
        Assert.Contains("'a' lies in both 1.safetensors and 3.safetensors", Fault().Message);
        Index("""{"a":7}""");
        Assert.Contains("weight_map.a: found '7'", Fault().Message);
        Index("{}");
        Assert.Contains("names 0 shards", Fault().Message);
        _scratch.WriteText("m/model.safetensors.index.json", "{}");
        Assert.Contains("weight_map: is absent", Fault().Message);
    }

    [Fact]
    public void Pickles_are_refused_with_the_way_to_convert()
    {
        Config();
        _scratch.WriteText("m/pytorch_model.bin", "");
        Assert.Contains("save_pretrained", Fault().Message);
        Weights("model.safetensors", "a");
        using var model = ModelFolder.Open(_scratch["m"]);
        Assert.True(model.HasWeights);
    }

    [Fact]
    public void What_is_no_model_folder_is_told_apart()
    {
        Assert.Contains("no such folder", Fault().Message);
        Directory.CreateDirectory(_scratch["m"]);
        Assert.Contains("holds no config.json", Fault().Message);
        _scratch.WriteText("m/adapter_config.json", "{}");
        Assert.Contains("holds an adapter", Fault().Message);
    }

    [Fact]
    public void A_cache_of_the_hub_is_opened_at_its_snapshot()
    {
        _scratch.WriteText("m/snapshots/1a/config.json", """{"model_type":"llama"}""");
        using (var only = ModelFolder.Open(_scratch["m"])) Assert.Equal(_scratch["m/snapshots/1a"], only.Path);
        _scratch.WriteText("m/snapshots/2b/config.json", """{"model_type":"gpt_neox"}""");
        Assert.Contains("refs/main is absent, and snapshots holds 1a, 2b", Fault().Message);
        _scratch.WriteText("m/refs/main", "2b\n");
        using (var named = ModelFolder.Open(_scratch["m"])) Assert.Equal("gpt_neox", named.Config.ModelType);
        _scratch.WriteText("m/refs/main", "3c");
        Assert.Contains("refs/main names the snapshot '3c'", Fault().Message);
        _scratch.WriteText("m/refs/main", new string('x', 300));
        Assert.Contains("cannot be read", Fault().Message);
        _scratch.WriteText("m/refs/main", "../..");
        Assert.Contains("refs/main names the snapshot '../..'", Fault().Message);
        Config();
        using var model = ModelFolder.Open(_scratch["m"]);
        Assert.Equal(_scratch["m"], model.Path);
    }

    [Fact]
    public void Damaged_weights_are_reported_as_such()
    {
        Config();
        Weights("1.safetensors", "a");
        _scratch.WriteText("m/2.safetensors", "");
        Index("""{"a":"1.safetensors","b":"2.safetensors"}""");
        Assert.Throws<CheckpointException>(() => ModelFolder.Open(_scratch["m"]));
    }

    [SharedFact]
    public void Reference_models_open()
    {
        foreach (var path in Directory.GetFiles(SharedFiles.Goldens, "config.json", SearchOption.AllDirectories))
        {
            using var model = ModelFolder.Open(Path.GetDirectoryName(path)!);
            model.RequireWeights();
            Assert.NotEmpty(model.Tensors);
            Assert.NotEmpty(model.Config.Architectures);
        }
    }

    private void Config() => _scratch.WriteText("m/config.json", """{"model_type":"gpt_neox"}""");

    private void Index(string map) => _scratch.WriteText("m/model.safetensors.index.json", $$"""{"metadata":{},"weight_map":{{map}}}""");

    private void Weights(string file, params string[] names) =>
        SafetensorsWriter.Write(_scratch[$"m/{file}"], [.. names.Select(name => new HostTensor(name, [2], new[] { 1f, 2f }))]);

    private CheckpointException Fault()
    {
        var fault = Assert.Throws<CheckpointException>(() => ModelFolder.Open(_scratch["m"]).Dispose());
        Assert.DoesNotContain('\n', fault.Message);
        return fault;
    }
}
