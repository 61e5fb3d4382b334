using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Models;

/// <summary>A base in bfloat16 under float32 adapters.</summary>
public sealed class ComputeDtypeTests
{
    [SharedTheory("goldens")]
    [InlineData("gpt_neox")]
    [InlineData("gemma")]
    [InlineData("gemma3")]
    [InlineData("llama")]
    public void Logits_lose_no_more_to_rounding_than_those_of_the_reference(string family)
    {
        using var scope = NewDisposeScope();
        var folder = SharedData.At("goldens", family);
        var options = new LanguageModelOptions
        {
            Task = ModelTask.CausalLm,
            ComputeDtype = bfloat16,
            // Nothing of the trunk trains, so all of it computes in bfloat16.
            Adapter = new AdapterSource(
                new LoraConfig { Rank = 1, Alpha = 1, TargetPattern = LoraConfig.AllLinear, TaskType = "CAUSAL_LM" }, null, "test"),
        };
        var (model, state) = LanguageModelLoader.Load(Path.Combine(folder, "bf16"), options);
        using var owned = model;
        using var initial = state;
        Assert.Equal(float32, initial.dtype);
        var tokens = TokenBatch.Pad(
            GoldenFolder.Rows(GoldenFolder.Json(folder).GetProperty("causal_lm").GetProperty("padded")), model.PadTokenId);
        var logits = model.TokenLogits(model.Layout.Split(state), tokens).ToArray<float>();
        using var file = SafetensorsFile.Open(Path.Combine(folder, "golden.safetensors"));
        var exact = file.ReadSingles("bf16w_fp32c.padded.logits");
        var reference = file.ReadSingles("bf16w_bf16c.padded.logits");
        var real = tokens.Real();
        double Error(float[] values) => Math.Sqrt(exact.Index()
            .Where(pair => real[pair.Index / model.VocabularySize])
            .Average(pair => Math.Pow(pair.Item - values[pair.Index], 2)));
        Assert.InRange(Error(logits), 1e-4, 1.2 * Error(reference));
    }

    [Fact]
    public void Adapters_and_their_gradients_stay_in_float32_and_come_near_those_of_a_float32_base()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var path = TinyModel.Write(folder);
        var config = new LoraConfig { Rank = 2, Alpha = 4, TargetModules = ["query_key_value", "dense"], TaskType = "SEQ_CLS" };
        EncodedExample[] examples = [.. Enumerable.Range(0, 6).Select(i => new EncodedExample($"{i}", [3, 4 + i, 7, 20 + i], i % 2, 1, i))];

        (double Loss, Tensor Gradient) Compute(ScalarType? computeDtype)
        {
            var (model, state) = LanguageModelLoader.Load(path, new LanguageModelOptions
            {
                Task = ModelTask.SequenceClassification,
                Weights = ModelWeights.Random,
                ComputeDtype = computeDtype,
                Adapter = new AdapterSource(config, null, "test"),
            });
            using (model)
            using (state) return new TransformerObjective(model, examples).LossAndGradient(state, [0, 1, 2, 3, 4, 5]);
        }

        var single = Compute(null);
        var half = Compute(bfloat16);
        Assert.Equal(float32, half.Gradient.dtype);
        Assert.NotEqual(single.Loss, half.Loss);
        Assert.Equal(single.Loss, half.Loss, 0.02);
        Assert.InRange((single.Gradient - half.Gradient).norm().ToNumber() / single.Gradient.norm().ToNumber(), 1e-5, 0.1);
    }
}
