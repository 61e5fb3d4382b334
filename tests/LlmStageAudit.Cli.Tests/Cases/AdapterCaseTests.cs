using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Cli.Tests.Surface;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Cli.Tests.Cases;

/// <summary>Adapters and recipes of public reports: each acts as in PEFT, or is refused by the name of what does not.</summary>
public sealed class AdapterCaseTests : IDisposable
{
    private const string Needs = "cases";
    private const string Prefix = "base_model.model.";

    private static readonly string s_base = CaseFolder.Beside("_base", "ids_model");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The base's biases are the model's, and the adapter's stand in for them: the whole is the merged model.</summary>
    [SharedFact(Needs)]
    public void Adapter_bias_note()
    {
        using var folder = new CaseFolder("adapter-bias-note");
        var probe = Probe();
        var outcome = CommandLine.Run(
            "evaluate", "--model", s_base, "--adapter", folder.At("adapter"), "--probe", probe, "--per-example", "--json");
        Assert.Empty(outcome.Error);
        var merged = Merge(Path.Combine(folder.At("adapter"), "adapter_model.safetensors"));
        CaseModels.CheckLogits(CaseModels.Logits("evaluate", "--model", merged, "--probe", probe), CaseModels.LogitsOf(outcome.Json), 2e-6);
    }

    [SharedFact(Needs)]
    public void Adapter_default_in_keys()
    {
        using var folder = new CaseFolder("adapter-default-in-keys");
        var outcome = folder.Train("run.yaml", "--json");
        Assert.Contains("lora_A.default.weight", outcome.Error);
        var renamed = _folder.At("renamed");
        FileTree.Copy(folder.At("adapter"), renamed);
        CaseModels.Rewrite(renamed, "adapter_model.safetensors", tensor =>
        {
            var name = tensor.Name.Replace(".modules_to_save.default", "", StringComparison.Ordinal);
            return tensor with { Name = name.Replace(".default", "", StringComparison.Ordinal) };
        });
        Assert.Equal(
            CaseModels.Losses(folder.At("run.yaml"), _folder.At("a"), $"adapter.initFrom={renamed}"), CaseModels.LossesOf(outcome));
    }

    [SharedTheory(Needs)]
    [InlineData("adapter-lora-embed-gemma3", "gemma3", "the embedding 'model.embed_tokens'")]
    [InlineData("adapter-lora-lm_head-llama", "llama", "the head 'lm_head'")]
    public void Adapter_lora_on_embedding_and_head(string name, string model, string module)
    {
        using var folder = new CaseFolder(name);
        string[] command = ["evaluate", "--model", SharedData.At("goldens", model), "--adapter", folder.At("adapter")];
        CaseFolder.CheckRefused(
            CommandLine.Run([.. command, "--probe", folder.At("probe.yaml")]),
            3, folder.At("adapter"), $"target_modules matches {module}, where LoRA is not supported");
    }

    /// <summary>save_embedding_layers copies the base's: they change nothing. Others would, and are refused.</summary>
    [SharedFact(Needs)]
    public void Adapter_with_saved_embeddings()
    {
        using var folder = new CaseFolder("adapter-with-saved-embeddings");
        var plain = _folder.At("plain");
        FileTree.Copy(folder.At("adapter"), plain);
        CaseModels.Rewrite(plain, "adapter_model.safetensors", tensor => IsEmbedding(tensor) ? null : tensor);
        Assert.Equal(
            CaseModels.Losses(folder.At("run.yaml"), _folder.At("a"), $"adapter.initFrom={plain}"),
            CaseModels.LossesOf(folder.Train("run.yaml", "--json")));

        foreach (var (changed, expected) in new (Func<HostTensor, HostTensor>, string)[]
        {
            (tensor => tensor with { Values = tensor.Values.ToArray().Select(value => value + 1).ToArray() }, "differs from the base's"),
            (tensor => new HostTensor(tensor.Name, [65, 16], new float[65 * 16]), "has 65 rows, and the base 64"),
        })
        {
            var other = _folder.At(expected);
            FileTree.Copy(folder.At("adapter"), other);
            CaseModels.Rewrite(other, "adapter_model.safetensors", tensor => IsEmbedding(tensor) ? changed(tensor) : tensor);
            CaseFolder.CheckRefused(
                CommandLine.Run("train", folder.At("run.yaml"), "--out", _folder.At("b"), "--set", $"adapter.initFrom={other}"),
                3, "gpt_neox.embed_in.weight", expected);
        }

        static bool IsEmbedding(HostTensor tensor) => tensor.Name.Contains("embed", StringComparison.Ordinal);
    }

    /// <summary>The head is drawn as for a run without an adapter to start from; the pairs are the adapter's.</summary>
    [SharedFact(Needs)]
    public void Causal_adapter_into_classifier()
    {
        using var folder = new CaseFolder("causal-adapter-into-classifier");
        var outcome = folder.Train();
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("head starts at random from seed 1: the adapter, trained for CAUSAL_LM, has none", outcome.Error);
        var initial = CaseModels.Tensors(Path.Combine(folder.Out, "initial", "adapter_model.safetensors"));
        var given = CaseModels.Tensors(folder.At("adapter", "adapter_model.safetensors"));
        Assert.All(given, tensor => Assert.Equal(tensor.Value, initial[tensor.Key]));
        using var fresh = new CaseFolder("recipe-init-gaussian");
        Assert.Equal(0, fresh.Train().ExitCode);
        var drawn = CaseModels.Tensors(Path.Combine(fresh.Out, "initial", "adapter_model.safetensors"));
        Assert.Equal(drawn[$"{Prefix}score.weight"], initial[$"{Prefix}score.weight"]);

        // A head that was never trained is not made up to be evaluated.
        CaseFolder.CheckRefused(
            CommandLine.Run(
                "evaluate", "--model", s_base, "--adapter", folder.At("adapter"), "--probe", Probe("task: sequence-classification")),
            3, "score.weight");
    }

    [SharedFact(Needs)]
    public void Classifier_adapter_into_causal()
    {
        using var folder = new CaseFolder("classifier-adapter-into-causal");
        folder.TrainRefused(3, [folder.At("adapter"), "a classifier's (task_type SEQ_CLS)", "causal-lm"]);
        CaseFolder.CheckRefused(
            CommandLine.Run("evaluate", "--model", s_base, "--adapter", folder.At("adapter"), "--probe", Probe("task: causal-lm", "")),
            3, "a classifier's (task_type SEQ_CLS)");
    }

    [SharedTheory(Needs)]
    [InlineData("recipe-embedding-target", "the embedding 'gpt_neox.embed_in'")]
    [InlineData("recipe-lm-head-target", "the head 'embed_out'")]
    public void Recipe_targets_of_embedding_and_head(string name, string module)
    {
        using var folder = new CaseFolder(name);
        folder.TrainRefused(3, [folder.At("recipe"), $"target_modules matches {module}, where LoRA is not supported"]);
    }

    /// <summary>A normal with the deviation 1/r = 0.5 and B zero; or both uniform in +-1/sqrt of their inputs, 16 and r = 2.</summary>
    [SharedTheory(Needs)]
    [InlineData("recipe-init-gaussian", "gaussian", 2.0, 0.0)]
    [InlineData("recipe-init-false", "false", 0.25, 0.7072)]
    public void Recipe_init(string name, string start, double mostOfA, double mostOfB)
    {
        using var folder = new CaseFolder(name);
        var outcome = folder.Train();
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains($"init_lora_weights {start}: distributed as by PEFT, the draws are this program's own", outcome.Error);
        var initial = Path.Combine(folder.Out, "initial");
        var written = JsonNode.Parse(File.ReadAllText(Path.Combine(initial, "adapter_config.json")))!["init_lora_weights"]!;
        Assert.Equal(start, written.ToJsonString().Trim('"'));
        var tensors = CaseModels.Tensors(Path.Combine(initial, "adapter_model.safetensors"));
        double[] Of(string factor) =>
        [
            .. tensors.Where(tensor => tensor.Key.Contains(factor, StringComparison.Ordinal))
                .SelectMany(tensor => tensor.Value.Select(value => (double)value)),
        ];
        Assert.InRange(Of("lora_A").Max(Math.Abs), 0.8 * Math.Min(mostOfA, 1), mostOfA);
        Assert.InRange(Of("lora_B").Max(Math.Abs), 0.8 * mostOfB, mostOfB);

        // 64 draws tell it to a tenth.
        var deviation = start == "gaussian" ? 0.5 : 0.25 / Math.Sqrt(3);
        Assert.InRange(Math.Sqrt(Of("lora_A").Average(value => value * value)), 0.7 * deviation, 1.3 * deviation);
    }

    [SharedTheory(Needs)]
    [InlineData("orthogonal")]
    [InlineData("eva")]
    [InlineData("mica")]
    [InlineData("pissa_niter_4")]
    [InlineData("olora")]
    [InlineData("a_later_one")]
    public void Recipe_init_of_other_kinds_is_refused_by_name(string start)
    {
        using var folder = new CaseFolder("recipe-init-gaussian");
        var recipe = JsonNode.Parse(File.ReadAllText(folder.At("recipe", "adapter_config.json")))!;
        recipe["init_lora_weights"] = start;
        _folder.Write("recipe/adapter_config.json", recipe.ToJsonString());
        var outcome = folder.Train("run.yaml", "--set", $"adapter.recipe={_folder.At("recipe")}");
        CaseFolder.CheckRefused(outcome, outcome.ExitCode == 2 ? 2 : 3, $"init_lora_weights '{start}'");
    }

    /// <summary>The pattern means what a list of the two names means.</summary>
    [SharedFact(Needs)]
    public void Regex_python_named_group()
    {
        using var folder = new CaseFolder("regex-python-named-group");
        var recipe = JsonNode.Parse(File.ReadAllText(folder.At("recipe", "adapter_config.json")))!;
        recipe["target_modules"] = new JsonArray("attention.query_key_value", "attention.dense");
        _folder.Write("recipe/adapter_config.json", recipe.ToJsonString());
        Assert.Equal(
            CaseModels.Losses(folder.At("run.yaml"), _folder.At("a"), $"adapter.recipe={_folder.At("recipe")}"),
            CaseModels.LossesOf(folder.Train("run.yaml", "--json")));
    }

    /// <summary>No folder is saved that PEFT would read with other logits.</summary>
    [SharedTheory(Needs)]
    [InlineData("tied-modules-to-save-embed_tokens", "embed_tokens")]
    [InlineData("tied-modules-to-save-model-embed_tokens", "model.embed_tokens")]
    [InlineData("tied-modules-to-save-embed_tokens", "lm_head")]
    [InlineData("tied-modules-to-save-embed_tokens", "head")]
    public void Tied_modules_to_save(string name, string module)
    {
        using var folder = new CaseFolder(name);
        folder.TrainRefused(
            3,
            [$"modules_to_save '{module}' of a model whose head 'lm_head' is tied to the embedding 'model.embed_tokens'"],
            "run.yaml", "--set", $"adapter.modulesToSave=[{module}]");
    }

    /// <summary>W + scaling B A with ranks, scalings and exclusions of the case's configuration written out.</summary>
    private string Merge(string adapterFile)
    {
        var adapter = CaseModels.Tensors(adapterFile);
        var merged = _folder.At("merged");
        FileTree.Copy(s_base, merged);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(merged, "config.json")))!;
        config["architectures"] = new JsonArray("GPTNeoXForSequenceClassification");
        File.Delete(Path.Combine(merged, "config.json"));
        File.WriteAllText(Path.Combine(merged, "config.json"), config.ToJsonString());
        CaseModels.Rewrite(merged, "model.safetensors", tensor =>
        {
            var (module, kind) = (tensor.Name[..tensor.Name.LastIndexOf('.')], tensor.Name[(tensor.Name.LastIndexOf('.') + 1)..]);
            if (kind == "bias")
                return tensor with { Values = adapter.GetValueOrDefault($"{Prefix}{module}.base_layer.bias") ?? tensor.Values };
            if (!adapter.TryGetValue($"{Prefix}{module}.lora_A.weight", out var a)) return tensor;
            var b = adapter[$"{Prefix}{module}.lora_B.weight"];
            var rank = module.EndsWith("layers.1.attention.dense", StringComparison.Ordinal) ? 3 : 2;
            var scaling = (module.EndsWith("attention.dense", StringComparison.Ordinal) ? 5 : 8) / Math.Sqrt(rank);
            var (outputs, inputs) = (tensor.Shape[0], tensor.Shape[1]);
            var values = tensor.Values.ToArray();
            for (var o = 0; o < outputs; o++)
            {
                for (var i = 0; i < inputs; i++)
                {
                    for (var k = 0; k < rank; k++) values[(o * inputs) + i] += (float)(scaling * b[(o * rank) + k] * a[(k * inputs) + i]);
                }
            }

            return tensor with { Values = values };
        }, new HostTensor("score.weight", [2, 16], adapter[$"{Prefix}score.weight"]));
        return merged;
    }

    private string Probe(string more = "", string label = ", label: label") => _folder.Write(
        $"probe{more.Length}.yaml", $"data: {{ path: {CaseFolder.Beside("_base", "rows.jsonl")}, ids: ids{label} }}\n{more}\n");
}
