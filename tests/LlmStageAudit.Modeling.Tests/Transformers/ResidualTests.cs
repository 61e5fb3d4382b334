using LlmStageAudit.Artifacts.Configuration;
using LlmStageAudit.Modeling.Examples;
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
        return (model.TokenLogits(parameters, batch).data<double>(), model.TokenLogits(silent, batch).data<double>());
    }
}
