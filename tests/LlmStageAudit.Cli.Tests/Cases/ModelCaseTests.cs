using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Cases;

/// <summary>Model folders of public reports: each loads as in transformers, or is refused with what is there and what to do.</summary>
public sealed class ModelCaseTests : IDisposable
{
    private const string Needs = "cases";
    private const string Prefix = "gpt_neox.";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SharedFact(Needs)]
    public void Base_three_labels()
    {
        using var folder = new CaseFolder("base-three-labels");
        folder.TrainRefused(3, [folder.At("model", "model.safetensors"), "'score.weight' has 3 classes; expected 2", "model.labels: 3"]);
        Assert.Equal(0, folder.Train("run.yaml", "--set", "model.labels=3").ExitCode);
        Assert.Equal(3, CaseModels.Logits("evaluate", "--model", folder.At("model"), "--probe", folder.At("probe.yaml"))[0].Length);
    }

    /// <summary>Evaluation has no dropout; training has one that is not supported.</summary>
    [SharedFact(Needs)]
    public void Dropout_in_config()
    {
        using var folder = new CaseFolder("dropout-in-config");
        var plain = Changed(folder.At("model"), config =>
        {
            config.Remove("attention_dropout");
            config.Remove("hidden_dropout");
        });
        Assert.Equal(
            CaseModels.Logits("evaluate", "--model", plain, "--probe", folder.At("probe.yaml")),
            CaseModels.Logits("evaluate", "--model", folder.At("model"), "--probe", folder.At("probe.yaml")));
        using var run = new CaseFolder("base-three-labels");
        run.TrainRefused(
            3, [folder.At("model", "config.json"), "hidden_dropout 0.1 and attention_dropout 0.1 acts in training"], "run.yaml",
            "--set", $"model.path={folder.At("model")}");
    }

    [SharedTheory(Needs)]
    [InlineData("entry-not-found-config", "config.json", "the answer of a server", "'Entry not found'")]
    [InlineData("html-instead-of-weights", "model.safetensors", "is a web page", "download the file itself")]
    [InlineData("lfs-pointer-tokenizer", "tokenizer.json", "a Git LFS pointer", "git lfs pull")]
    [InlineData("lfs-pointer-weights", "model.safetensors", "a Git LFS pointer", "git lfs pull")]
    public void Files_that_are_something_else(string name, string file, string found, string remedy)
    {
        using var folder = new CaseFolder(name);
        folder.TrainRefused(3, [folder.At("model", file), found, remedy]);
    }

    /// <summary>In place of a file of the model: what it is, and nothing of what a reader made of it.</summary>
    [SharedTheory(Needs)]
    [InlineData("model.safetensors", "pickle")]
    [InlineData("model.safetensors", "gzip")]
    [InlineData("model.safetensors", "zip")]
    [InlineData("config.json", "UTF-16")]
    [InlineData("config.json", "gzip")]
    [InlineData("tokenizer.json", "UTF-16")]
    [InlineData("tokenizer_config.json", "Git LFS pointer")]
    public void Any_file_of_a_model_that_is_something_else(string file, string found)
    {
        using var folder = new CaseFolder("tokenizer-config-ignored");
        var model = _folder.At("model");
        FileTree.Copy(folder.At("model"), model);
        File.Delete(Path.Combine(model, file));
        File.WriteAllBytes(Path.Combine(model, file), found switch
        {
            "pickle" => [0x80, 2, .. "}q\0X"u8],
            "gzip" => [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3],
            "zip" => [.. "PK\u0003\u0004"u8, 20, 0, 0, 0],
            "UTF-16" => [0xFF, 0xFE, (byte)'{', 0, (byte)'}', 0],
            _ => [.. "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"u8],
        });
        folder.TrainRefused(3, [Path.Combine(model, file), found], "run.yaml", "--set", $"model.path={model}");
    }

    [SharedFact(Needs)]
    public void Gemma3_sparse_text_config()
    {
        using var folder = new CaseFolder("gemma3-sparse-text-config");
        // The published model has 3.88 thousand million parameters: too many to draw here.
        var read = Gemma3Config.Read(ModelConfig.Read(folder.At("model", "config.json")));
        Assert.Equal((8, 4, 256, 262_208), (read.HeadCount, read.KeyValueHeadCount, read.HeadSize, read.VocabularySize));
        var footprint = LanguageModelLoader.Footprint(folder.At("model"), new LanguageModelOptions { Task = ModelTask.CausalLm });
        Assert.Equal(3_880_263_168, footprint.TrainableCount);
    }

    /// <summary>refs/main says which snapshot; its files are links. A copy without links is told as such.</summary>
    [SharedFact(Needs)]
    public void Hub_cache_root()
    {
        using var folder = new CaseFolder("hub-cache-root");
        const string name = "models--EleutherAI--pythia-70m";
        folder.TrainRefused(3, [folder.At(name, "snapshots", "abc123", "config.json"), "was a link", "../../blobs/config.json-blob"]);
        var cache = _folder.At(name);
        FileTree.Copy(folder.At(name), cache);
        foreach (var file in Directory.GetFiles(Path.Combine(cache, "snapshots", "abc123")))
        {
            var target = File.ReadAllText(file);
            File.Delete(file);
            File.CreateSymbolicLink(file, target);
        }

        Directory.CreateDirectory(Path.Combine(cache, "snapshots", "later"));
        var snapshot = Path.Combine(cache, "snapshots", "abc123");
        var outcome = folder.Train("run.yaml", "--json", "--set", $"model.path={cache}");
        Assert.Contains($"{cache} is a cache of the model hub: taken is {snapshot}", outcome.Error);
        Assert.Equal(
            CaseModels.Losses(folder.At("run.yaml"), _folder.At("direct"), $"model.path={snapshot}"), CaseModels.LossesOf(outcome));

        // The run is of that snapshot, whatever the cache says later.
        File.Delete(Path.Combine(cache, "refs", "main"));
        File.WriteAllText(Path.Combine(cache, "refs", "main"), "later");
        var probe = _folder.Write("p.yaml", $"data: {{ path: {folder.At("rows.jsonl")}, ids: ids, label: label }}\n");
        Assert.Equal(0, CommandLine.Run("evaluate", folder.Out, "--probe", probe).ExitCode);
        File.WriteAllText(Path.Combine(cache, "refs", "main"), "gone");
        CaseFolder.CheckRefused(
            CommandLine.Run("train", folder.At("run.yaml"), "--out", _folder.At("none"), "--set", $"model.path={cache}"),
            3, cache, "refs/main names the snapshot 'gone'", "snapshots holds abc123, later");
    }

    /// <summary>-1 is none, and 2048 the class's default: the files with both written out are the same models.</summary>
    [SharedTheory(Needs)]
    [InlineData("llama-old-config")]
    [InlineData("llama-pad-minus-one")]
    public void Llama_configurations(string name)
    {
        using var folder = new CaseFolder(name);
        var plain = Changed(folder.At("model"), config =>
        {
            config["pad_token_id"] = null;
            config["max_position_embeddings"] ??= 2048;
        });
        Assert.Equal(
            CaseModels.Losses(folder.At("run.yaml"), _folder.At("a"), $"model.path={plain}"),
            CaseModels.LossesOf(folder.Train("run.yaml", "--json")));
    }

    /// <summary>The names as transformers completes them, and as torch.compile leaves them.</summary>
    [SharedFact(Needs)]
    public void Model_without_prefix()
    {
        using var folder = new CaseFolder("model-without-prefix");
        var outcome = folder.Train("run.yaml", "--json");
        Assert.Contains("its tensors lack 'gpt_neox.'", outcome.Error);
        var whole = Renamed(folder.At("model"), "whole", name => Prefix + name);
        var compiled = Renamed(folder.At("model"), "compiled", name => "_orig_mod." + Prefix + name);
        var expected = CaseModels.Losses(folder.At("run.yaml"), _folder.At("a"), $"model.path={whole}");
        Assert.Equal(expected, CaseModels.LossesOf(outcome));
        Assert.Equal(expected, CaseModels.Losses(folder.At("run.yaml"), _folder.At("b"), $"model.path={compiled}"));
    }

    [SharedFact(Needs)]
    public void Problem_type_multi_label()
    {
        using var folder = new CaseFolder("problem-type-multi-label");
        string[] mentions = [folder.At("model", "config.json"), "problem_type 'multi_label_classification'", "not a softmax"];
        folder.TrainRefused(3, mentions);
        CaseFolder.CheckRefused(
            CommandLine.Run("evaluate", "--model", folder.At("model"), "--probe", folder.At("probe.yaml")), 3, mentions);
        var regression = Changed(folder.At("model"), config =>
        {
            config.Remove("problem_type");
            config["id2label"] = new JsonObject { ["0"] = "score" };
        });
        CaseFolder.CheckRefused(
            CommandLine.Run("evaluate", "--model", regression, "--probe", folder.At("probe.yaml")), 3, "one label", "regression");
        var single = Changed(folder.At("model"), config => config["problem_type"] = "single_label_classification");
        Assert.Equal(0, CommandLine.Run("evaluate", "--model", single, "--probe", folder.At("probe.yaml")).ExitCode);
    }

    [SharedFact(Needs)]
    public void Shards_without_index()
    {
        using var folder = new CaseFolder("shards-without-index");
        folder.TrainRefused(
            3,
            [folder.At("model"), "holds model-00001-of-00002.safetensors, model-00002-of-00002.safetensors", "safetensors.index.json"]);
    }

    private string Renamed(string model, string name, Func<string, string> rename)
    {
        FileTree.Copy(model, _folder.At(name));
        CaseModels.Rewrite(_folder.At(name), "model.safetensors", tensor => tensor with { Name = rename(tensor.Name) });
        return _folder.At(name);
    }

    /// <summary>A model with another config.json.</summary>
    private string Changed(string model, Action<JsonObject> change)
    {
        var copy = _folder.At($"changed-{Directory.GetDirectories(_folder.Path).Length}");
        FileTree.Copy(model, copy);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(copy, "config.json")))!.AsObject();
        change(config);
        File.Delete(Path.Combine(copy, "config.json"));
        File.WriteAllText(Path.Combine(copy, "config.json"), config.ToJsonString());
        return copy;
    }
}
