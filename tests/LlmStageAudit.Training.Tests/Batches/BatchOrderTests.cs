using LlmStageAudit.Training.Batches;

namespace LlmStageAudit.Training.Tests.Batches;

public sealed class BatchOrderTests
{
    [Fact]
    public void An_order_worked_out_elsewhere()
    {
        // xoshiro256** keyed by SHA-256 of (7, "batches", "religion", "2"), Fisher-Yates from the end: must never change.
        int[][] expected = [[8, 2, 0, 1], [9, 10, 7, 5], [3, 4, 6]];
        Assert.Equal(expected, BatchOrder.Epoch(7, "religion", 2, 11, 4, shuffle: true));
    }

    [Theory]
    [InlineData(10, 4)]
    [InlineData(10, 5)]
    [InlineData(1, 50)]
    [InlineData(257, 16)]
    public void Every_example_is_in_exactly_one_batch_of_an_epoch(int examples, int batchSize)
    {
        foreach (var shuffle in new[] { true, false })
        {
            var batches = BatchOrder.Epoch(1, "s", 0, examples, batchSize, shuffle).ToArray();
            Assert.Equal(Enumerable.Range(0, examples), batches.SelectMany(batch => batch).Order());
            Assert.All(batches[..^1], batch => Assert.Equal(batchSize, batch.Length));
            Assert.Equal((examples + batchSize - 1) / batchSize, batches.Length);
        }
    }

    [Fact]
    public void The_order_is_a_function_of_seed_stage_and_epoch()
    {
        int[] Order(long seed, string stage, int epoch) =>
            [.. BatchOrder.Epoch(seed, stage, epoch, 40, 7, shuffle: true).SelectMany(batch => batch)];
        Assert.Equal(Order(1, "s", 0), Order(1, "s", 0));
        Assert.NotEqual(Order(1, "s", 0), Order(2, "s", 0));
        Assert.NotEqual(Order(1, "s", 0), Order(1, "t", 0));
        Assert.NotEqual(Order(1, "s", 0), Order(1, "s", 1));
        // The batch size cuts the order and does not change it.
        Assert.Equal(Order(1, "s", 0), BatchOrder.Epoch(1, "s", 0, 40, 3, shuffle: true).SelectMany(batch => batch));
    }

    [Fact]
    public void Without_shuffling_every_epoch_is_in_file_order()
    {
        int[][] expected = [[0, 1, 2], [3, 4, 5], [6]];
        Assert.Equal(expected, BatchOrder.Epoch(1, "s", 0, 7, 3, shuffle: false));
        Assert.Equal(expected, BatchOrder.Epoch(9, "t", 5, 7, 3, shuffle: false));
    }
}
