using System.Text.Json;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests;

/// <summary>Every family there are values of the reference implementation for, against these.</summary>
public sealed class FamilyGoldenTests
{
    private const string Needs = "goldens";
    private static readonly string[] s_families = ["gpt_neox", "llama", "gemma", "gemma3"];
    private static readonly string[] s_batches = ["padded", "single", "nopad"];

    public static TheoryData<string> Families => [.. s_families];

    public static TheoryData<string, string> FamiliesAndBatches
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var family in s_families)
            {
                foreach (var batch in s_batches) rows.Add(family, batch);
            }

            return rows;
        }
    }

    [SharedTheory(Needs)]
    [MemberData(nameof(FamiliesAndBatches))]
    public void Causal_language_model(string family, string batch)
    {
        var folder = Folder(family);
        var (model, state) = GoldenFolder.Load(folder, ModelTask.CausalLm);
        using (model)
        using (state) GoldenFolder.CheckCausal(model, state, GoldenFolder.Json(folder).GetProperty("causal_lm").GetProperty(batch));
    }

    [SharedTheory(Needs)]
    [MemberData(nameof(Families))]
    public void The_newer_spelling_of_the_configuration_gives_the_same_bits(string family)
    {
        using var scope = NewDisposeScope();
        using var copy = new TemporaryFolder();
        GoldenFolder.CopyWithNewConfig(Folder(family), copy);
        var tokens = TokenBatch.Pad([[5, 9, 3, 20, 7, 31, 8, 2], [6, 4]], 0);
        Vectors.SameBits(Logits(Folder(family)), Logits(copy.Path));

        Tensor Logits(string folder)
        {
            var (model, state) = GoldenFolder.Load(folder, ModelTask.CausalLm);
            using (model)
            using (state) return model.TokenLogits(model.Layout.Split(state), tokens);
        }
    }

    [SharedTheory(Needs)]
    [MemberData(nameof(Families))]
    public void Every_element_of_the_gradients(string family)
    {
        using var scope = NewDisposeScope();
        var folder = Folder(family);
        var (model, state) = GoldenFolder.Load(folder, ModelTask.CausalLm);
        using var owned = model;
        using var values = state;
        var rows = GoldenFolder.Rows(GoldenFolder.Json(folder).GetProperty("causal_lm").GetProperty("padded"));
        var objective = new TransformerObjective(model, [.. rows.Select((ids, i) => new EncodedExample($"{i}", ids, -1, 1, i))]);
        var (_, gradient) = objective.LossAndGradient(state, [0, 1, 2, 3], microBatchSize: 3);
        GoldenFolder.CheckFullGradients(model, gradient, folder, "lm.padded.grad.");
    }

    [SharedTheory(Needs)]
    [MemberData(nameof(Families))]
    public void One_example_alone(string family)
    {
        using var scope = NewDisposeScope();
        var folder = Folder(family);
        var (model, state) = GoldenFolder.Load(folder, ModelTask.CausalLm);
        using var owned = model;
        using var values = state;
        var golden = GoldenFolder.Json(folder);
        var alone = golden.GetProperty("per_example_sum_nll");
        var rows = GoldenFolder.Rows(golden.GetProperty("causal_lm").GetProperty(alone.GetProperty("batch").GetString()!));
        var ids = rows[alone.GetProperty("row").GetInt32()];
        Assert.Equal(alone.GetProperty("length").GetInt32(), ids.Length);
        var objective = new TransformerObjective(model, [new EncodedExample("alone", ids, -1, 1, 0)]);
        var (mean, gradient) = objective.LossAndGradient(state, [0]);
        GoldenFolder.Close(alone.GetProperty("sum_nll").GetDouble(), mean * objective.Weight(0), 5e-5 * ids.Length, "sum of the losses");
        GoldenFolder.CheckGradientNorms(model, gradient.times(objective.Weight(0)), alone.GetProperty("grad_norms"));
    }

    [SharedTheory(Needs)]
    [MemberData(nameof(Families))]
    public void Weights_stored_in_bfloat16(string family)
    {
        using var scope = NewDisposeScope();
        var folder = Folder(family);
        var (model, state) = GoldenFolder.Load(Path.Combine(folder, "bf16"), ModelTask.CausalLm);
        using var owned = model;
        using var values = state;
        var golden = GoldenFolder.Json(folder);
        using var file = SafetensorsFile.Open(Path.Combine(folder, "golden.safetensors"));
        foreach (var batch in s_batches)
        {
            var rows = GoldenFolder.Rows(golden.GetProperty("causal_lm").GetProperty(batch));
            var tokens = TokenBatch.Pad(rows, model.PadTokenId);
            var logits = model.TokenLogits(model.Layout.Split(state), tokens).ToArray<float>();
            var expected = file.ReadSingles($"bf16w_fp32c.{batch}.logits");
            var real = tokens.Real();
            for (var i = 0; i < expected.Length; i++)
            {
                // What is computed at padding is nobody's business.
                if (real[i / model.VocabularySize]) GoldenFolder.Close(expected[i], logits[i], 1e-4, $"{batch} logit {i}");
            }
        }
    }

    [SharedTheory(Needs)]
    [MemberData(nameof(Families))]
    public void Padding_in_front(string family)
    {
        using var scope = NewDisposeScope();
        var (model, state) = GoldenFolder.Load(Folder(family), ModelTask.CausalLm);
        using var owned = model;
        using var values = state;
        var golden = GoldenFolder.Json(Folder(family)).GetProperty("left_padded");
        var batch = TokenBatch.Pad([.. GoldenFolder.Rows(golden), .. LongestRow(golden)], model.PadTokenId, padLeft: true);
        Assert.False(batch.PaddedOnTheRight);
        var last = model.TokenLogits(model.Layout.Split(state), batch).narrow(0, 0, 1).narrow(1, batch.Width - 1, 1).ToArray<float>();
        foreach (var (v, expected) in golden.GetProperty("last_logits").EnumerateArray().Index())
            GoldenFolder.Close(expected.GetDouble(), last[v], 1e-4, $"logit {v}");
    }

    [SharedTheory(Needs)]
    [MemberData(nameof(FamiliesAndBatches))]
    public void Sequence_classification(string family, string batch)
    {
        var (model, state) = GoldenFolder.Load(Path.Combine(Folder(family), "seqcls"), ModelTask.SequenceClassification);
        using var owned = model;
        using var values = state;
        var golden = GoldenFolder.Json(Folder(family));
        var inputs = golden.GetProperty("causal_lm").GetProperty(batch);
        GoldenFolder.CheckClassification(model, state, golden.GetProperty("sequence_classification").GetProperty(batch), inputs);
    }

    private static string Folder(string family) => SharedData.At("goldens", family);

    /// <summary>A row as wide as the padded reference, so that the others are padded to its width.</summary>
    private static int[][] LongestRow(JsonElement golden) =>
        [[.. Enumerable.Repeat(1, golden.GetProperty("input_ids")[0].GetArrayLength())]];
}
