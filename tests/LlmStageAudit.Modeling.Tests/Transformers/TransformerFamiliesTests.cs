using System.Text;
using System.Text.Json.Nodes;
using LlmStageAudit.Checkpoints;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Transformers;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Transformers;

public sealed class TransformerFamiliesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Decoders => [.. TinyDecoder.Families.Where(family => family != "gpt_neox")];

    [Fact]
    public void A_family_that_is_not_known_is_refused_with_those_that_are()
    {
        var error = Assert.Throws<ModelingException>(() => TransformerFamilies.Create(Config("mamba")));
        Assert.Contains(
            "model_type 'mamba' is not supported; expected gemma, gemma2, gemma3_text, gpt_neox, llama",
            error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Gemma_3_with_images_is_refused_with_a_hint()
    {
        var error = Assert.Throws<CheckpointException>(() => TransformerFamilies.Create(Config("gemma3")));
        Assert.Contains(
            "model_type: found 'gemma3', a model of text and images; expected a text model", error.Message, StringComparison.Ordinal);
        Assert.Contains("gemma3_text", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public void Linear_layers_go_by_the_names_adapters_use(string family)
    {
        var transformer = TransformerFamilies.Create(ModelConfig.Read(Path.Combine(TinyDecoder.Write(_folder, family), "config.json")));
        using var owned = (IDisposable)transformer;
        var first = transformer.LinearModules.Take(7).ToArray();
        Assert.Equal(
            [
                "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
                "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
            ],
            first.Select(module => module.Name["model.layers.0.".Length..]));
        var keys = family == "gemma" ? 6 : 12;
        Assert.Equal(
            [(12L, 24L), (12, keys), (12, keys), (24, 12), (12, 20), (12, 20), (20, 12)], first.Select(module => (module.In, module.Out)));
        Assert.Equal(21, transformer.LinearModules.Count);
        // Where a file lists a buffer or a tied head's copy, these are passed over.
        Assert.True(transformer.IsBuffer("model.layers.0.self_attn.rotary_emb.inv_freq"));
        Assert.Contains("lm_head.weight", transformer.LanguageModelHeadAliases);
    }

    [Theory]
    [InlineData("llama", "llama", 1)]
    [InlineData("gemma", "gemma", 1)]
    [InlineData("gemma2", "gemma2", 1)]
    [InlineData("gemma3", "gemma3_text", 1)]
    [InlineData("pythia", "gpt_neox", 0)]
    public void The_recipe_in_the_repository_fits_the_family(string recipe, string family, int valueProjections)
    {
        var section = new AdapterSection { Recipe = Path.Combine(SharedData.RepositoryRoot, "adapters", recipe) };
        var source = AdapterResolver.Resolve(section, ModelTask.SequenceClassification);
        var (model, state) = TinyModel.Load(TinyDecoder.Write(_folder, family), ModelTask.SequenceClassification, source);
        using var owned = model;
        using var initial = state;
        Assert.Equal(
            3 * (1 + valueProjections),
            model.Layout.Slots.Count(slot => slot.Name.EndsWith(".lora_A.weight", StringComparison.Ordinal)));
        Assert.Equal(8, model.Adapter!.Rank);
        Assert.Equal("base_model.model.score.weight", model.Layout.Slots[^1].Name);
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public void A_saved_model_loads_to_the_same_bits_under_its_class_name(string family)
    {
        using var scope = NewDisposeScope();
        var path = TinyDecoder.Write(_folder, family);
        foreach (var task in new[] { ModelTask.CausalLm, ModelTask.SequenceClassification })
        {
            var (model, state) = TinyModel.Load(path, task, dtype: float32, labels: 3);
            using var owned = model;
            using var initial = state;
            var saved = _folder.At($"saved-{task}");
            StateFolder.Write(saved, model, state);
            var (again, reloaded) = LanguageModelLoader.Load(
                saved, new LanguageModelOptions { Task = task, Labels = 3, ForTraining = false });
            using var ownedAgain = again;
            using var reloadedState = reloaded;
            Vectors.SameBits(state, reloaded);
            Assert.Empty(again.Warnings);
            Assert.Equal([model.Architecture], again.Folder.Config.Architectures);
        }
    }

    [Fact]
    public void A_tied_heads_copy_on_disk_is_passed_over_and_an_untied_head_must_be_there()
    {
        using var scope = NewDisposeScope();
        var (model, state) = TinyModel.Load(TinyDecoder.Write(_folder, "gemma"), ModelTask.CausalLm, dtype: float32);
        using var owned = model;
        using var initial = state;
        var tensors = model.Layout.Slots
            .Zip(model.Layout.Split(state), (slot, values) => new HostTensor(slot.Name, slot.Shape, values.contiguous().ToArray<float>()))
            .ToArray();
        HostTensor copy = new("lm_head.weight", tensors[0].Shape, tensors[0].Values);
        ModelFolderWriter.Write(_folder.At("copy"), model.Folder.Config, [.. tensors, copy]);
        var (again, reloaded) = LanguageModelLoader.Load(_folder.At("copy"), new LanguageModelOptions { Task = ModelTask.CausalLm });
        using (again)
        using (reloaded) Assert.Empty(again.Warnings);

        var changes = new Dictionary<string, JsonNode?> { ["tie_word_embeddings"] = false };
        ModelFolderWriter.Write(_folder.At("untied"), model.Folder.Config, tensors, changes: changes);
        var error = Assert.Throws<ModelingException>(
            () => LanguageModelLoader.Load(_folder.At("untied"), new LanguageModelOptions { Task = ModelTask.CausalLm }));
        Assert.Contains("tensor 'lm_head.weight' is missing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_head_under_its_other_name_on_disk_is_read()
    {
        using var scope = NewDisposeScope();
        var (model, state) = TinyModel.Load(TinyModel.Write(_folder), ModelTask.CausalLm, dtype: float32);
        using var owned = model;
        using var initial = state;
        var tensors = model.Layout.Slots.Zip(model.Layout.Split(state), (slot, values) => new HostTensor(
            slot.Name == "embed_out.weight" ? "lm_head.weight" : slot.Name, slot.Shape, values.contiguous().ToArray<float>()));
        ModelFolderWriter.Write(_folder.At("renamed"), model.Folder.Config, [.. tensors]);
        var (again, reloaded) = LanguageModelLoader.Load(_folder.At("renamed"), new LanguageModelOptions { Task = ModelTask.CausalLm });
        using var ownedAgain = again;
        using var reloadedState = reloaded;
        Vectors.SameBits(state, reloaded);
        Assert.Empty(again.Warnings);
    }

    public void Dispose() => _folder.Dispose();

    private static ModelConfig Config(string family) =>
        ModelConfig.Parse("config.json", Encoding.UTF8.GetBytes($$"""{ "model_type": "{{family}}" }"""));
}
