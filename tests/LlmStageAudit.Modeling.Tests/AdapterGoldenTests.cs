using System.Text.Json;
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
