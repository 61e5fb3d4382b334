using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Models;

/// <summary>A merged folder computes what base and adapter compute together.</summary>
public sealed class MergedModelTests
{
    [Theory]
    [InlineData(ModelTask.CausalLm)]
    [InlineData(ModelTask.SequenceClassification)]
    public void Same_logits_without_the_adapter(ModelTask task)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var config = new LoraConfig
        {
            Rank = 3,
            Alpha = 5,
            UseRslora = true,
            TargetPattern = LoraConfig.AllLinear,
            TaskType = task == ModelTask.CausalLm ? "CAUSAL_LM" : "SEQ_CLS",
        };
        var (model, initial) = TinyModel.Load(TinyModel.Write(folder), task, new AdapterSource(config, null, "test"), dtype: float32);
        using var owned = model;
        using var start = initial;
        var theta = initial + TensorMemory.Of(Vectors.Normal(initial.numel(), 1), model.Device).to(float32).times(0.3);
        MergedModel.Write(folder.At("merged"), model, theta);

        var (merged, weights) = LanguageModelLoader.Load(
            folder.At("merged"), new LanguageModelOptions { Task = task, ForTraining = false, Device = model.Device });
        using var ownedMerged = merged;
        using var all = weights;
        var batch = TokenBatch.Pad([[3, 7, 9, 11], [4, 5]], model.PadTokenId);
        var expected = Logits(model, theta, batch);
        var found = Logits(merged, weights, batch);
        var without = Logits(model, initial, batch);
        Assert.True(expected.Zip(without).Max(pair => Math.Abs(pair.First - pair.Second)) > 0.1, "the adapter does nothing here");
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], 1e-5f);
    }

    private static float[] Logits(LanguageModel model, Tensor theta, TokenBatch batch)
    {
        var parameters = model.Layout.Split(theta);
        return (model.Task == ModelTask.CausalLm ? model.TokenLogits(parameters, batch) : model.ClassLogits(parameters, batch))
            .ToArray<float>();
    }
}
