using System.Globalization;
using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Attribution;

/// <summary>Draws a random share of a batch, the same one whenever it is asked for again.</summary>
public static class BatchShare
{
    /// <summary>How many examples a share of a batch is.</summary>
    public static int Size(int batchSize, double rho) => Math.Clamp((int)Math.Round(rho * batchSize), 1, batchSize);

    /// <summary>
    /// The examples drawn from one step's batch, in batch order; the batch itself at rho = 1. The purpose tells streams of one seed apart.
    /// </summary>
    internal static int[] Draw(int[] batch, double rho, long seed, string purpose, string stage, int stageStep)
    {
        var size = Size(batch.Length, rho);
        if (size >= batch.Length) return batch;
        var positions = Enumerable.Range(0, batch.Length).ToArray();
        StableRandom.For(seed, purpose, stage, stageStep.ToString(CultureInfo.InvariantCulture)).Shuffle<int>(positions);
        return [.. positions.Take(size).Order().Select(position => batch[position])];
    }
}
