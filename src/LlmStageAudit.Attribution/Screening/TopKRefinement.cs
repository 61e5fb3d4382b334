namespace LlmStageAudit.Attribution.Screening;

/// <summary>
/// Settles screened candidates from the top until the head is certain or the budget does not hold another one. What costs nothing is
/// settled first. Several are settled at a time, so that their replays share a walk.
/// </summary>
public sealed class TopKRefinement(TopKCertificate certificate, int top)
{
    private const int LargestRound = 4;

    /// <summary>Rounding in sums of costs.</summary>
    private const double Slack = 1e-9;

    /// <summary>Exact effects beside the candidates, null where not settled, and what they say.</summary>
    /// <param name="candidates">All, screened.</param>
    /// <param name="budget">Gradients that may be spent.</param>
    /// <param name="settle">Replays candidates, given by their numbers in rising order, and returns their effects in that order.</param>
    public (SettledEffect?[] Settled, TopKFinding Finding) Run(
        IReadOnlyList<ScreenedCandidate> candidates, double budget, Func<IReadOnlyList<int>, IReadOnlyList<SettledEffect>> settle)
    {
        var settled = new SettledEffect?[candidates.Count];
        var left = budget + (Slack * Math.Max(1, Math.Abs(budget)));
        int[] round = [.. Enumerable.Range(0, candidates.Count).Where(i => candidates[i].ExactCost == 0)];
        while (true)
        {
            if (round.Length > 0)
            {
                Array.Sort(round);
                var effects = settle(round);
                for (var i = 0; i < round.Length; i++) settled[round[i]] = effects[i];
                left -= round.Sum(i => candidates[i].ExactCost);
            }

            var finding = certificate.Examine(candidates, settled);
            if (finding.IsCertain || finding.Open.Count == 0) return (settled, finding);
            round = Next(candidates, finding, left);
            if (round.Length == 0) return (settled, finding);
        }
    }

    /// <summary>The open ones that could rank highest, as many as are likely needed and as the budget holds.</summary>
    private int[] Next(IReadOnlyList<ScreenedCandidate> candidates, TopKFinding finding, double left)
    {
        var missing = TopKCertificate.LeastErrors - finding.Errors;
        var wanted = missing > 0 ? Math.Max(missing, top) : Math.Min(LargestRound, (finding.Open.Count + 1) / 2);
        var next = new List<int>();
        var ordered = finding.Open
            .OrderByDescending(i => certificate.Height(candidates[i].Score) + finding.Limits.GetValueOrDefault(i, double.PositiveInfinity))
            .ThenByDescending(i => certificate.Height(candidates[i].Score)).ThenBy(i => i);
        foreach (var i in ordered)
        {
            if (next.Count == wanted) break;
            if (candidates[i].ExactCost > left) continue;
            next.Add(i);
            left -= candidates[i].ExactCost;
        }

        return [.. next];
    }
}
