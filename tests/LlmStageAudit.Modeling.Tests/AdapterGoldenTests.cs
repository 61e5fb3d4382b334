using System.Text.Json;
using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests;

/// <summary>LoRA on GPT-NeoX against values of the reference implementation.</summary>
public sealed class AdapterGoldenTests
{
    private const string Needs = "goldens/gpt_neox";
    private static readonly string s_folder = SharedData.At("goldens", "gpt_neox");

    [SharedTheory(Needs)]
    [InlineData("lora", "padded")]
    [InlineData("lora", "nopad")]
    [InlineData("lora_rslora", "padded")]
    [InlineData("lora_seqcls", "padded")]
    [InlineData("lora_seqcls", "single")]
    public void Adapters(string adapter, string batch)
    {
        var folder = Path.Combine(s_folder, adapter);
        var golden = GoldenFolder.Json(folder);
        var classification = golden.GetProperty("task_type").GetString() == "SEQ_CLS";
        var (model, state) = GoldenFolder.Load(
            classification ? Path.Combine(s_folder, "seqcls") : s_folder,
            classification ? ModelTask.SequenceClassification : ModelTask.CausalLm,
            folder);
        using var owned = model;
        using var values = state;
        JsonElement expected = golden.GetProperty("batches").GetProperty(batch);
        if (classification) GoldenFolder.CheckClassification(model, state, expected, expected);
        else GoldenFolder.CheckCausal(model, state, expected);
    }

    /// <summary>PEFT's adapter with a tied weight that trains for embedding and head, under both of its names.</summary>
    [SharedTheory("goldens/peft")]
    [InlineData("padded")]
    [InlineData("single")]
    public void A_tied_weight_that_trains_is_one_weight_under_two_names(string batch)
    {
        using var copy = new TemporaryFolder();
        var adapter = SharedData.At("goldens", "peft", "save_tied_on");
        var (model, state) = GoldenFolder.Load(SharedData.At("goldens", "gemma3"), ModelTask.CausalLm, adapter);
        using var owned = model;
        using var values = state;
        GoldenFolder.CheckCausal(model, state, GoldenFolder.Json(adapter).GetProperty("batches").GetProperty(batch));
        StateFolder.Write(copy.At("adapter"), model, state);
        var (config, tensors) = AdapterFolder.Read(copy.At("adapter"));
        Assert.True(config.EnsureWeightTying);
        var (_, given) = AdapterFolder.Read(adapter);
        Assert.Equal(given.Keys.Order(StringComparer.Ordinal), tensors.Keys.Order(StringComparer.Ordinal));
        Assert.All(given, tensor => Assert.Equal(tensor.Value.Values.ToArray(), tensors[tensor.Key].Values.ToArray()));
        Assert.Equal(
            new FileInfo(copy.At("adapter", "adapter_model.safetensors")).Length,
            StateFolder.Sizes(model).Single(file => file.Name == "adapter_model.safetensors").SizeBytes);
    }

    /// <summary>Every adapter of PEFT 0.21 that is not refused has its logits, on the models that are supported.</summary>
    [SharedTheory("goldens/peft")]
    [InlineData("all_linear")]
    [InlineData("all_linear_neox")]
    [InlineData("alpha_pattern_order")]
    [InlineData("bias_all")]
    [InlineData("bias_lora_only")]
    [InlineData("exclude_list")]
    [InlineData("exclude_regex")]
    [InlineData("layers_to_transform")]
    [InlineData("layers_to_transform_int")]
    [InlineData("rank_alpha_pattern")]
    [InlineData("rank_pattern_rslora")]
    [InlineData("rslora")]
    [InlineData("save_head_neox")]
    [InlineData("save_lm_head")]
    [InlineData("target_regex")]
    [InlineData("target_suffix_path")]
    public void Adapters_of_PEFT_have_its_logits(string kind)
    {
        var adapter = SharedData.At("goldens", "peft", kind);
        var golden = GoldenFolder.Json(adapter);
        var (model, state) = GoldenFolder.Load(
            Path.Combine(adapter, golden.GetProperty("base_model").GetString()!), ModelTask.CausalLm, adapter);
        using var owned = model;
        using var values = state;
        GoldenFolder.CheckCausal(model, state, golden.GetProperty("batches").GetProperty("padded"));
    }

    /// <summary>What would have other logits is refused by the name of the key or the module.</summary>
    [SharedTheory("goldens/peft")]
    [InlineData("dora_llama", "llama", "use_dora")]
    [InlineData("embed_lora", "llama", "the embedding 'model.embed_tokens'")]
    [InlineData("embed_lora_tied_on", "gemma3", "the embedding 'model.embed_tokens'")]
    [InlineData("head_lora", "llama", "the head 'lm_head'")]
    [InlineData("head_lora_neox", "gpt_neox", "the head 'lm_head'")]
    [InlineData("head_lora_tied", "gemma3", "the head 'lm_head'")]
    [InlineData("init_olora/trained", "llama", "init_lora_weights 'olora'")]
    [InlineData("init_pissa/trained", "llama", "init_lora_weights 'pissa'")]
    [InlineData("lora_bias", "llama", "lora_bias")]
    [InlineData("save_embed_and_head", "llama", "modules_to_save 'embed_tokens'")]
    [InlineData("save_norms", "llama", "modules_to_save 'input_layernorm'")]
    [InlineData("save_tied_both_off", "gemma3", "tied to the embedding")]
    [InlineData("save_tied_head_only", "gemma3", "tied to the embedding")]
    [InlineData("save_tied_off", "gemma3", "tied to the embedding")]
    [InlineData("trainable_tokens", "llama", "trainable_token_indices")]
    [InlineData("other_kinds/lora_alora", "llama", "alora_invocation_tokens")]
    [InlineData("other_kinds/lora_layer_replication", "llama", "layer_replication")]
    [InlineData("other_kinds/lora_qalora", "llama", "use_qalora")]
    [InlineData("other_kinds/vera", "llama", "found 'VERA'; expected 'LORA'")]
    public void Other_adapters_are_refused_by_name(string kind, string family, string named)
    {
        var adapter = SharedData.At(["goldens", "peft", .. kind.Split('/')]);
        var fault = Assert.ThrowsAny<InvalidInputException>(() =>
            GoldenFolder.Load(SharedData.At("goldens", family), ModelTask.CausalLm, adapter));
        Assert.Contains(named, fault.Message, StringComparison.Ordinal);
    }

    [SharedFact(Needs)]
    public void A_saved_adapter_gives_the_same_logits_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        using var copy = new TemporaryFolder();
        var (model, state) = GoldenFolder.Load(
            Path.Combine(s_folder, "seqcls"), ModelTask.SequenceClassification, Path.Combine(s_folder, "lora_seqcls"));
        using var owned = model;
        StateFolder.Write(copy.At("adapter"), model, state);
        var (again, reloaded) = GoldenFolder.Load(Path.Combine(s_folder, "seqcls"), ModelTask.SequenceClassification, copy.At("adapter"));
        using var ownedAgain = again;
        Assert.True(state.Equals(reloaded));
        Assert.True(state.Equals(StateFolder.Read(copy.At("adapter"), model)));
        state.Dispose();
        reloaded.Dispose();
    }
}
