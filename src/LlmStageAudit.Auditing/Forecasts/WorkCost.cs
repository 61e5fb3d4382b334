using LlmStageAudit.Modeling.Examples;

namespace LlmStageAudit.Auditing.Forecasts;

/// <summary>
/// What a piece of work takes, as a straight line fitted to measured pieces by least squares:
/// <code>seconds = fixed + perToken * padded tokens</code>
/// Attention grows faster than the tokens, but pieces drawn evenly from the work to be foretold make the line right on average there.
/// Neither part is below 0.
/// </summary>
internal readonly record struct WorkCost(double FixedSeconds, double SecondsPerToken)
{
    /// <summary>Of one piece.</summary>
    public double Seconds(long paddedTokens) => FixedSeconds + (SecondsPerToken * paddedTokens);

    /// <summary>Of several pieces.</summary>
    public double Seconds(IEnumerable<long> paddedTokens)
    {
        var cost = this;
        return paddedTokens.Sum(cost.Seconds);
    }

    /// <summary>Rows times the longest row, summed over the forward passes of a batch.</summary>
    public static long PaddedTokens(IReadOnlyCollection<int> batch, int? microBatchSize, IReadOnlyList<EncodedExample> examples) =>
        batch.Chunk(microBatchSize ?? batch.Count).Sum(part => (long)part.Length * part.Max(i => examples[i].Ids.Length));

    /// <summary>The line of least squares through measured pieces, at least one.</summary>
    public static WorkCost Fit(IReadOnlyCollection<(long PaddedTokens, double Seconds)> measured)
    {
        var tokens = measured.Average(one => (double)one.PaddedTokens);
        var seconds = measured.Average(one => one.Seconds);
        var spread = measured.Sum(one => Math.Pow(one.PaddedTokens - tokens, 2));
        // Pieces of nearly one size say nothing of a slope: then time goes with the tokens.
        if (spread <= measured.Count * Math.Pow(0.02 * tokens, 2)) return new WorkCost(0, seconds / Math.Max(1, tokens));
        var slope = measured.Sum(one => (one.PaddedTokens - tokens) * (one.Seconds - seconds)) / spread;
        if (slope <= 0) return new WorkCost(seconds, 0);
        var constant = seconds - (slope * tokens);
        // Time that grows faster than the tokens: in proportion it is right in total, if not for single pieces.
        return constant >= 0 ? new WorkCost(constant, slope) : new WorkCost(0, seconds / tokens);
    }

    /// <summary>
    /// So many pieces, where there are that many, that stand for all, by their padded tokens: the middles of equal parts of them in order
    /// of size, from the middle of the order outwards, so that the first of them stand for all as well; and the largest.
    /// </summary>
    public static (int Largest, IReadOnlyList<int> Typical) Choose(IReadOnlyList<long> pieces, int count)
    {
        int[] order = [.. Enumerable.Range(0, pieces.Count).OrderBy(i => pieces[i])];
        var typical = Enumerable.Range(0, Math.Min(count, order.Length))
            .Select(part => (2 * part) + 1.0)
            .Select(odd => odd / (2 * Math.Min(count, order.Length)))
            .OrderBy(place => Math.Abs(place - 0.5))
            .Select(place => order[(int)(place * order.Length)]);
        return (order[^1], [.. typical]);
    }
}
