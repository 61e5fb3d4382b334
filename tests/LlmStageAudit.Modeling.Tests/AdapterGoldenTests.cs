using System.Text.Json;
using LlmStageAudit.Checkpoints.Adapters;
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
