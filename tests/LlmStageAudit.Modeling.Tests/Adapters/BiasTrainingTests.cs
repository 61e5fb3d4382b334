using LlmStageAudit.Checkpoints.Adapters;
using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Adapters;

/// <summary>PEFT's bias settings: which biases of the base train along, under which keys they are saved, and that they act.</summary>
public sealed class BiasTrainingTests : IDisposable
{
    private const string Prefix = "base_model.model.gpt_neox.";
    private readonly TemporaryFolder _folder = new();
    private readonly DisposeScope _scope = NewDisposeScope();

    [Fact]
    public void Lora_only_trains_the_biases_of_adapted_layers()
    {
        var (model, state) = Load("lora_only", float32);
        using var owned = model;
        state.Dispose();
        Assert.Equal(
            [$"{Prefix}layers.0.mlp.dense_h_to_4h.base_layer.bias", $"{Prefix}layers.1.mlp.dense_h_to_4h.base_layer.bias"],
            Biases(model));
    }

    [Fact]
    public void All_trains_every_bias_norms_included()
    {
        var (model, state) = Load("all", float32);
        using var owned = model;
        state.Dispose();
        var biases = Biases(model);
        Assert.Equal((2 * 6) + 1, biases.Length);
        Assert.Contains($"{Prefix}layers.1.mlp.dense_h_to_4h.base_layer.bias", biases);
        Assert.Contains($"{Prefix}layers.1.attention.query_key_value.bias", biases);
        Assert.Contains($"{Prefix}layers.0.input_layernorm.bias", biases);
        Assert.Contains($"{Prefix}final_layer_norm.bias", biases);
    }

    [Theory]
    [InlineData("all")]
    [InlineData("lora_only")]
    public void Biases_start_as_in_the_base_act_have_gradients_and_survive_saving_and_merging(string bias)
    {
        var (model, state) = Load(bias, float32);
        using var owned = model;
        using var start = state;
        var (plain, weights) = TinyModel.Load(TinyModel.Write(_folder), ModelTask.CausalLm, dtype: float32);
        using var ownedPlain = plain;
        using var all = weights;
        var batch = TokenBatch.Pad([[3, 7, 9, 11], [4, 5]], model.PadTokenId);
        float[] Logits(LanguageModel of, Tensor theta) => of.TokenLogits(of.Layout.Split(theta), batch).ToArray<float>();
        Assert.Equal(Logits(plain, weights), Logits(model, state));

        var examples = new[] { new EncodedExample("a", [3, 7, 9, 11], -1, 1, 0) };
        var (_, gradient) = new TransformerObjective(model, examples).LossAndGradient(state, [0]);
        var slots = model.Layout.Slots.Index().Where(slot => slot.Item.Name.EndsWith(".bias", StringComparison.Ordinal)).ToArray();
        Assert.All(slots, slot => Assert.True(model.Layout.Split(gradient)[slot.Index].norm().ToNumber() > 0, slot.Item.Name));

        var moved = state + TensorMemory.Of(Vectors.Normal(state.numel(), 5)).to(float32).times(0.2);
        Assert.NotEqual(Logits(model, state), Logits(model, moved));
        StateFolder.Write(_folder.At("adapter"), model, moved);
        var (config, tensors) = AdapterFolder.Read(_folder.At("adapter"));
        Assert.Equal(bias, config.Bias);
        var (again, reloaded) = TinyModel.Load(
            TinyModel.Write(_folder), ModelTask.CausalLm, new AdapterSource(config, tensors, "saved"), dtype: float32);
        using var ownedAgain = again;
        using var values = reloaded;
        Vectors.SameBits(moved, reloaded);

        MergedModel.Write(_folder.At("merged"), model, moved);
        var (merged, mergedWeights) = LanguageModelLoader.Load(
            _folder.At("merged"), new LanguageModelOptions { Task = ModelTask.CausalLm });
        using var ownedMerged = merged;
        using var mergedValues = mergedWeights;
        Assert.All(Logits(model, moved).Zip(Logits(merged, mergedWeights)), pair => Assert.Equal(pair.First, pair.Second, 1e-4f));
    }

    public void Dispose()
    {
        _scope.Dispose();
        _folder.Dispose();
    }

    private (LanguageModel Model, Tensor State) Load(string bias, ScalarType dtype) => TinyModel.Load(
        TinyModel.Write(_folder),
        ModelTask.CausalLm,
        new AdapterSource(
            new LoraConfig { Rank = 2, Alpha = 4, Bias = bias, TargetModules = ["dense_h_to_4h"], TaskType = "CAUSAL_LM" }, null, "test"),
        dtype);

    private static string[] Biases(LanguageModel model) =>
        [.. model.Layout.Slots.Select(slot => slot.Name).Where(name => name.EndsWith(".bias", StringComparison.Ordinal))];
}
