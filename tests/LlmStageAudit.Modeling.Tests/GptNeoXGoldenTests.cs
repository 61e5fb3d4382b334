using System.Text.Json;
using LlmStageAudit.Artifacts.Configuration;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests;

/// <summary>GPT-NeoX against values of the reference implementation.</summary>
public sealed class GptNeoXGoldenTests
{
    private const string Needs = "goldens/gpt_neox";
    private static readonly string s_folder = SharedData.At("goldens", "gpt_neox");

    [SharedTheory(Needs)]
    [InlineData("padded", false)]
    [InlineData("single", false)]
    [InlineData("nopad", false)]
    [InlineData("padded", true)]
    public void Causal_language_model(string batch, bool newConfig)
    {
        using var copy = new TemporaryFolder();
        if (newConfig) GoldenFolder.CopyWithNewConfig(s_folder, copy);
        var (model, state) = GoldenFolder.Load(newConfig ? copy.Path : s_folder, ModelTask.CausalLm);
        using (model)
        using (state) GoldenFolder.CheckCausal(model, state, GoldenFolder.Json(s_folder).GetProperty("causal_lm").GetProperty(batch));
    }

    [SharedFact(Needs)]
    public void Every_element_of_the_gradients()
    {
        using var scope = NewDisposeScope();
        var (model, state) = GoldenFolder.Load(s_folder, ModelTask.CausalLm);
        using var owned = model;
        using var values = state;
        var rows = GoldenFolder.Rows(GoldenFolder.Json(s_folder).GetProperty("causal_lm").GetProperty("padded"));
        var objective = new TransformerObjective(model, [.. rows.Select((ids, i) => new EncodedExample($"{i}", ids, -1, 1, i))]);
        var (_, gradient) = objective.LossAndGradient(state, [0, 1, 2, 3], microBatchSize: 3);
        GoldenFolder.CheckFullGradients(model, gradient, s_folder, "lm.padded.grad.");
    }

    [SharedFact(Needs)]
    public void Weights_stored_in_bfloat16()
    {
        using var scope = NewDisposeScope();
        var (model, state) = GoldenFolder.Load(Path.Combine(s_folder, "bf16"), ModelTask.CausalLm);
        using var owned = model;
        using var values = state;
        var golden = GoldenFolder.Json(s_folder);
        using var file = Checkpoints.Safetensors.SafetensorsFile.Open(Path.Combine(s_folder, "golden.safetensors"));
        foreach (var batch in new[] { "padded", "single" })
        {
            var rows = GoldenFolder.Rows(golden.GetProperty("causal_lm").GetProperty(batch));
            var tokens = TokenBatch.Pad(rows, model.PadTokenId);
            var logits = model.TokenLogits(model.Layout.Split(state), tokens).data<float>();
            var expected = file.ReadSingles($"bf16w_fp32c.{batch}.logits");
            var real = tokens.Real();
            for (var i = 0; i < expected.Length; i++)
            {
                // What is computed at padding is nobody's business.
                if (real[i / model.VocabularySize]) GoldenFolder.Close(expected[i], logits[i], 1e-4, $"{batch} logit {i}");
            }
        }
    }

    [SharedFact(Needs)]
    public void Padding_in_front()
    {
        using var scope = NewDisposeScope();
        var (model, state) = GoldenFolder.Load(s_folder, ModelTask.CausalLm);
        using var owned = model;
        using var values = state;
        var golden = GoldenFolder.Json(s_folder).GetProperty("left_padded");
        var batch = TokenBatch.Pad([.. GoldenFolder.Rows(golden), .. LongestRow(golden)], model.PadTokenId, padLeft: true);
        Assert.False(batch.PaddedOnTheRight);
        var last = model.TokenLogits(model.Layout.Split(state), batch).narrow(0, 0, 1).narrow(1, batch.Width - 1, 1).data<float>();
        foreach (var (v, expected) in golden.GetProperty("last_logits").EnumerateArray().Index())
            GoldenFolder.Close(expected.GetDouble(), last[v], 1e-4, $"logit {v}");
    }

    [SharedTheory(Needs)]
    [InlineData("padded")]
    [InlineData("single")]
    [InlineData("nopad")]
    public void Sequence_classification(string batch)
    {
        var (model, state) = GoldenFolder.Load(Path.Combine(s_folder, "seqcls"), ModelTask.SequenceClassification);
        using var owned = model;
        using var values = state;
        var golden = GoldenFolder.Json(s_folder);
        var inputs = golden.GetProperty("causal_lm").GetProperty(batch);
        GoldenFolder.CheckClassification(model, state, golden.GetProperty("sequence_classification").GetProperty(batch), inputs);
    }

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
        var (model, state) = GoldenFolder.Load(Path.Combine(s_folder, "seqcls"), ModelTask.SequenceClassification, Path.Combine(s_folder, "lora_seqcls"));
        using var owned = model;
        StateFolder.Write(copy.At("adapter"), model, state);
        var (again, reloaded) = GoldenFolder.Load(Path.Combine(s_folder, "seqcls"), ModelTask.SequenceClassification, copy.At("adapter"));
        using var ownedAgain = again;
        Assert.True(state.equal(reloaded));
        Assert.True(state.equal(StateFolder.Read(copy.At("adapter"), model)));
        state.Dispose();
        reloaded.Dispose();
    }

    /// <summary>A row as wide as the padded reference, so that the others are padded to its width.</summary>
    private static int[][] LongestRow(JsonElement golden) => [[.. Enumerable.Repeat(1, golden.GetProperty("input_ids")[0].GetArrayLength())]];
}
