using LlmStageAudit.Modeling.Transformers;

namespace LlmStageAudit.Modeling.Tests.Transformers;

public sealed class AttentionMaskTests
{
    private const int Tokens = 6;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(100)]
    public void A_window_holds_the_query_and_the_keys_just_before_it(int window)
    {
        using var scope = NewDisposeScope();
        foreach (var dtype in new[] { float32, float64 })
        {
            var shares = Shares(AttentionMask.Causal(Tokens, dtype, CPU).Within(window), batch: 1);
            for (var i = 0; i < Tokens; i++)
            {
                for (var j = 0; j < Tokens; j++)
                    Assert.Equal(i - window < j && j <= i ? 1.0 / Math.Min(window, i + 1) : 0, shares[(i * Tokens) + j], 6);
            }
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(6)]
    public void Padding_is_never_seen_through_a_window(int window)
    {
        using var scope = NewDisposeScope();
        bool[] real = [false, false, true, true, true, true, true, true, true, true, true, false];
        var mask = AttentionMask.CausalWithPadding(TensorMemory.Of(real, [2, Tokens]), float64);
        var shares = Shares(mask.Within(window), batch: 2);
        for (var b = 0; b < 2; b++)
        {
            for (var i = 0; i < Tokens; i++)
            {
                if (!real[(b * Tokens) + i]) continue; // What padding sees is nobody's business, as long as it is finite.
                var seen = Enumerable.Range(0, Tokens).Where(j => i - window < j && j <= i && real[(b * Tokens) + j]).ToArray();
                for (var j = 0; j < Tokens; j++)
                    Assert.Equal(seen.Contains(j) ? 1.0 / seen.Length : 0, shares[(((b * Tokens) + i) * Tokens) + j], 12);
            }
        }

        Assert.All(shares, share => Assert.True(double.IsFinite(share)));
    }

    [Fact]
    public void A_window_is_made_once_and_leaves_the_mask_alone()
    {
        using var scope = NewDisposeScope();
        var mask = AttentionMask.Causal(Tokens, float64, CPU);
        Assert.Same(mask.Within(3), mask.Within(3));
        Assert.NotSame(mask.Within(3), mask.Within(2));
        Assert.Same(mask, mask.Within(Tokens));
        Assert.Equal(1.0 / Tokens, Shares(mask, batch: 1)[(Tokens * Tokens) - 1], 12);
    }

    /// <summary>Attention under equal scores.</summary>
    private static double[] Shares(AttentionMask mask, int batch) =>
        mask.Softmax(zeros([batch, 1, Tokens, Tokens], float32)).to(float64).ToArray<double>();
}
