using System.Globalization;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Training.Batches;

/// <summary>
/// Which examples make up which batch: a pure function of seed, stage and epoch. It knows a stage by its name, not by its
/// place, so a stage keeps its order when an earlier one is left out.
/// </summary>
internal static class BatchOrder
{
    /// <summary>The batches of one epoch; the last one may be smaller.</summary>
    /// <param name="seed">The run's.</param>
    /// <param name="stage">Its name.</param>
    /// <param name="epoch">0-based.</param>
    /// <param name="exampleCount">Examples 0 .. exampleCount - 1, each in exactly one batch.</param>
    /// <param name="batchSize">Examples of a batch.</param>
    /// <param name="shuffle">False keeps file order.</param>
    public static IEnumerable<int[]> Epoch(long seed, string stage, int epoch, int exampleCount, int batchSize, bool shuffle)
    {
        var order = Enumerable.Range(0, exampleCount).ToArray();
        if (shuffle) StableRandom.For(seed, "batches", stage, epoch.ToString(CultureInfo.InvariantCulture)).Shuffle<int>(order);
        return order.Chunk(batchSize);
    }
}
