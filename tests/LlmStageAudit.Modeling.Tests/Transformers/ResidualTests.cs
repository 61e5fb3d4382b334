using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Transformers;

public sealed class ResidualTests
{
    [Fact]
    public void Parallel_and_sequential_residuals_differ_exactly_by_what_attention_adds()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (with, without) = Logits(folder, parallelResidual: true);
        var (sequentialWith, sequentialWithout) = Logits(folder, parallelResidual: false);
        Assert.True(Vectors.RelativeDistance(with, sequentialWith) > 1e-3);
        // With the attention's output at zero both orders are x + mlp(n2 x).
        Assert.Equal(without, sequentialWithout);
        Assert.True(Vectors.RelativeDistance(with, without) > 1e-3);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Only_in_sequence_does_the_mlp_see_what_attention_added(bool parallelResidual)
    {
        // A constant added to the attention's output and taken off the MLP's cancels, unless the MLP has read it in between.
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var (model, state) = TinyModel.Load(TinyModel.Write(folder, parallelResidual), ModelTask.CausalLm);
        using var owned = model;
        using var initial = state;
        var batch = TokenBatch.Pad([[4, 8, 15], [16, 23]], 0);
        var constant = TensorMemory.Of(Vectors.Normal(16, seed: 1), model.Device);
        var parameters = model.Layout.Split(state);
        var moved = model.Layout.Slots
            .Select((slot, i) => slot.Name switch
            {
                "gpt_neox.layers.0.attention.dense.bias" => parameters[i] + constant,
                "gpt_neox.layers.0.mlp.dense_4h_to_h.bias" => parameters[i] - constant,
                _ => parameters[i],
            })
            .ToArray();
        var distance = Vectors.RelativeDistance(
            model.TokenLogits(parameters, batch).ToArray<double>(), model.TokenLogits(moved, batch).ToArray<double>());
        Assert.True(parallelResidual ? distance < 1e-13 : distance > 1e-2, $"relative distance {distance:g3}");
    }

    /// <summary>Logits of the model as it is, and with the attention's output projection at zero.</summary>
    private static (double[] With, double[] Without) Logits(TemporaryFolder folder, bool parallelResidual)
    {
        var path = TinyModel.Write(folder, parallelResidual, name: parallelResidual ? "parallel" : "sequential");
        var (model, state) = TinyModel.Load(path, ModelTask.CausalLm);
        using var owned = model;
        using var initial = state;
        var batch = TokenBatch.Pad([[4, 8, 15], [16, 23]], 0);
        var parameters = model.Layout.Split(state);
        var silent = model.Layout.Slots
            .Select(
                (slot, i) => slot.Name.Contains("attention.dense", StringComparison.Ordinal) ? parameters[i].zeros_like() : parameters[i])
            .ToArray();
        return (model.TokenLogits(parameters, batch).ToArray<double>(), model.TokenLogits(silent, batch).ToArray<double>());
    }
}
