using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Checkpoints.Tests.Safetensors;

namespace LlmStageAudit.Checkpoints.Tests.Models;

public sealed class ModelFolderWriterTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Unchanged_configuration_keeps_its_bytes_and_the_tokenizer_comes_along()
    {
        var config = Config("{ \"model_type\" : \"gpt_neox\",\n\t\"torch_dtype\":\"float32\" }");
        _scratch.WriteText("in/tokenizer.json", "{\"t\":1}");
        _scratch.WriteText("in/notes.txt", "no");

        ModelFolderWriter.Write(_scratch["out"], config, [new("w", [2], new[] { 1f, -1f })], _scratch["in"]);

        Assert.Equal(config.RawJson.ToArray(), File.ReadAllBytes(_scratch["out/config.json"]));
        Assert.Equal("{\"t\":1}", File.ReadAllText(_scratch["out/tokenizer.json"]));
        using var model = ModelFolder.Open(_scratch["out"]);
        Assert.Equal(["config.json", "model.safetensors", "tokenizer.json"], model.Files);
        Assert.Equal(3, Directory.GetFiles(_scratch["out"]).Length);
        Assert.Equal([1f, -1f], model.Tensors["w"].File.ReadSingles("w"));
    }

    [Fact]
    public void Changes_are_set_and_other_keys_stay_in_place()
    {
        var config = Config("""{"b":1,"architectures":["Old"],"a":"\u00e9<"}""");
        var changes = new Dictionary<string, JsonNode?> { ["architectures"] = new JsonArray("New"), ["pad_token_id"] = null, ["n"] = 3 };

        ModelFolderWriter.Write(_scratch["out"], config, [], changes: changes);

        var written = ModelConfig.Read(_scratch["out/config.json"]);
        Assert.Equal(["b", "architectures", "a", "n", "pad_token_id"], written.Keys);
        Assert.Equal(["New"], written.Architectures);
        Assert.Equal("\u00e9<", written.GetString("a"));
        Assert.Equal(3, written.GetInt("n"));
    }

    [Fact]
    public void Announced_dtype_is_that_of_the_weights()
    {
        ModelFolderWriter.Write(_scratch["out"], Config("""{"torch_dtype":"bfloat16"}"""), []);
        Assert.Equal("float32", ModelConfig.Read(_scratch["out/config.json"]).GetString("torch_dtype"));
    }

    [Fact]
    public void Existing_folder_is_left_alone_and_a_failure_leaves_nothing()
    {
        _scratch.WriteText("there/mine.txt", "keep");
        var config = Config("{}");

        Assert.Throws<CheckpointException>(() => ModelFolderWriter.Write(_scratch["there"], config, []));
        Assert.Equal("keep", File.ReadAllText(_scratch["there/mine.txt"]));
        Assert.Throws<CheckpointException>(() => ModelFolderWriter.Write(_scratch["new"], config, [new("w", [5], new float[1])]));
        Assert.Equal(["in", "there"], Directory.GetDirectories(_scratch.Root).Select(Path.GetFileName).Order());
    }

    private ModelConfig Config(string json) => ModelConfig.Read(_scratch.WriteText("in/config.json", json));
}
