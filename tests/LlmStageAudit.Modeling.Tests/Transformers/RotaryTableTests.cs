using LlmStageAudit.Modeling.Transformers;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Transformers;

/// <summary>Tables of angles live as long as the model, so that they must not add up over a run that meets every length.</summary>
public sealed class RotaryTableTests
{
    [Fact]
    public void Lengths_share_tables()
    {
        using var rotary = new RotaryEmbedding(4, new RotaryConfig(10_000));
        Rotate(rotary, 1);
        var before = LiveTensors.Settled();
        for (var tokens = 1; tokens <= 64; tokens++) Rotate(rotary, tokens);
        Assert.Equal(before, Tensor.TotalCount);
        for (var tokens = 65; tokens <= 256; tokens++) Rotate(rotary, tokens);
        // Cosine and sine of two more tables: to 128 and to 256.
        Assert.Equal(before + 4, Tensor.TotalCount);
    }

    [Fact]
    public void What_came_before_changes_no_bit()
    {
        using var fresh = new RotaryEmbedding(4, new RotaryConfig(10_000));
        using var used = new RotaryEmbedding(4, new RotaryConfig(10_000));
        foreach (var tokens in new[] { 200, 3, 65, 128 }) Rotate(used, tokens);
        foreach (var tokens in new[] { 3, 64, 65, 100, 200 }) Assert.Equal(Rotate(fresh, tokens), Rotate(used, tokens));
    }

    private static float[] Rotate(RotaryEmbedding rotary, int tokens)
    {
        using var scope = NewDisposeScope();
        var values = Vectors.Normal(tokens * 6, seed: 5).Select(value => (float)value).ToArray();
        return rotary.Rotate(TensorMemory.Of(values, [1, 1, tokens, 6])).ToArray<float>();
    }
}
