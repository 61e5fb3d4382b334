using LlmStageAudit.Modeling.Examples;

namespace LlmStageAudit.Modeling.Tests.Examples;

public sealed class TokenBatchTests
{
    [Fact]
    public void Rows_are_padded_to_the_longest()
    {
        var batch = TokenBatch.Pad([[5, 6, 7], [8]], 2);
        Assert.Equal((2, 3), (batch.Rows, batch.Width));
        Assert.Equal([5L, 6, 7, 8, 2, 2], batch.Ids);
        Assert.Equal([true, true, true, true, false, false], batch.Real());
        Assert.True(batch.PaddedOnTheRight);
        var left = TokenBatch.Pad([[5, 6, 7], [8]], 2, padLeft: true);
        Assert.Equal([5L, 6, 7, 2, 2, 8], left.Ids);
        Assert.Equal([true, true, true, false, false, true], left.Real());
        Assert.False(left.PaddedOnTheRight);
    }

    [Fact]
    public void Without_a_padding_token_rows_are_read_at_their_last_token()
    {
        // Filled up with 0, which as a real token at the end still counts.
        var batch = TokenBatch.Pad([[5, 6, 7], [8, 0]], null);
        Assert.Equal([5L, 6, 7, 8, 0, 0], batch.Ids);
        Assert.Equal([2, 1], batch.PooledPositions(null));
    }

    [Theory]
    [InlineData(false, new[] { 3, 0, 1, 0 })]
    [InlineData(true, new[] { 3, 3, 1, 2 })]
    public void Padding_tokens_at_the_end_of_a_row_are_passed_over(bool padLeft, int[] expected)
    {
        // A full row; a short one; one that ends in real padding tokens; one that holds nothing else.
        var batch = TokenBatch.Pad([[5, 2, 6, 7], [8], [9, 4, 2, 2], [2, 2]], 2, padLeft);
        Assert.Equal(expected, batch.PooledPositions(2));
    }
}
