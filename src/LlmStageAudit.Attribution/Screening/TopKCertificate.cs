using MathNet.Numerics.Distributions;

namespace LlmStageAudit.Attribution.Screening;

/// <summary>
/// Whether the first N of a ranking are certain, where some candidates are settled by exact replay and others only screened.
/// Write s for a screened effect, e for an exact one, c for the cost of its replay (how far its error travels), and alpha = 1 - confidence.
/// <code>
/// error of the screen     r_i = e_i - s_i of every settled i with c_i > 0, m of them
/// spread for unsettled j  sigma_j^2 = (1/m) sum_i r_i^2 max(1, c_j / c_i)
/// limit of unsettled j    e_j at most s_j + sigma_j t_m(1 - alpha / 2U), for all U unsettled together with probability 1 - alpha / 2;
///                         where size ranks, |e_j| at most |s_j| + sigma_j t_m(1 - alpha / 4U)
/// certain                 in a share 1 - alpha / 2 of the bootstrap draws over probe examples every one of the head exceeds
///                         every other settled candidate and every unsettled one at its limit
/// </code>
/// t_m is Student's quantile with m degrees of freedom: errors are taken as centred on 0, so that a bias of the screen widens the
/// limits. An error is never scaled down to a candidate nearer the end of the run. With fewer than
/// <see cref="LeastErrors"/> errors nothing is known of unsettled candidates. With nothing unsettled all of alpha is for the draws.
/// </summary>
/// <param name="confidence">In (0.5, 1).</param>
/// <param name="top">N.</param>
/// <param name="order">What ranks first.</param>
public sealed class TopKCertificate(double confidence, int top, TopKOrder order)
{
    /// <summary>Errors of the screen that have to be known before it says anything.</summary>
    public const int LeastErrors = 3;

    /// <summary>What stands at the head as far as is known, and whether that is certain.</summary>
    /// <param name="candidates">All, screened.</param>
    /// <param name="settled">Beside them: their exact effects, null where not settled.</param>
    public TopKFinding Examine(IReadOnlyList<ScreenedCandidate> candidates, IReadOnlyList<SettledEffect?> settled)
    {
        var ranked = Enumerable.Range(0, candidates.Count)
            .OrderByDescending(i => Height(settled[i]?.Value ?? candidates[i].Score)).ThenBy(i => i).ToArray();
        int[] head = [.. ranked.Take(top)];
        int[] rest = [.. ranked.Skip(top)];
        int[] unsettled = [.. rest.Where(i => settled[i] is null)];
        (double Error, double Cost)[] errors =
        [
            .. candidates.Zip(settled).Where(pair => pair.Second is not null && pair.First.ExactCost > 0)
                .Select(pair => (pair.Second!.Value - pair.First.Score, pair.First.ExactCost)),
        ];
        var limits = unsettled.ToDictionary(j => j, j => Limit(candidates[j], errors, unsettled.Length));
        double? spread = errors.Length == 0 ? null : Math.Sqrt(errors.Average(error => error.Error * error.Error));
        var finding = new TopKFinding(head, rest, spread, errors.Length, limits);
        int[] open = [.. head.Where(i => settled[i] is null)];
        if (rest.Length == 0) return finding with { IsCertain = open.Length == 0, Open = open };
        if (open.Length > 0) return finding with { Open = [.. open, .. unsettled] };

        var draws = settled[head[0]]!.Draws.Count;
        var (lost, lostToSettled, counted) = (0, 0, 0);
        var lostTo = unsettled.ToDictionary(j => j, _ => 0);
        for (var draw = 0; draw < draws; draw++)
        {
            var least = head.Min(i => Height(settled[i]!.Draws[draw]));
            var rivals = rest.Where(i => settled[i] is not null).Select(i => Height(settled[i]!.Draws[draw])).ToArray();
            // A draw without one of the groups defines no effect and says nothing.
            if (double.IsNaN(least) || rivals.Any(double.IsNaN)) continue;
            counted++;
            var toSettled = rivals.Any(rival => !(least > rival));
            var toUnsettled = false;
            foreach (var j in unsettled)
            {
                var height = Height(candidates[j].Draws is { } screened ? screened[draw] : candidates[j].Score);
                if (least > height + limits[j]) continue;
                lostTo[j]++;
                toUnsettled = true;
            }

            if (toSettled) lostToSettled++;
            if (toSettled || toUnsettled) lost++;
        }

        var alpha = 1 - confidence;
        var tolerated = unsettled.Length == 0 ? alpha : alpha / 2;
        bool IsTooMany(int count) => (count + 1.0) / (counted + 1) > tolerated;
        var isCertain = !IsTooMany(lost);
        var isTied = IsTooMany(lostToSettled);
        int[] blocking = [.. unsettled.Where(j => lostTo[j] > 0 && lostTo[j] > tolerated * counted / unsettled.Length)];
        // Several that each lose little may lose too much together.
        if (blocking.Length == 0 && !isCertain && !isTied) blocking = [unsettled.MaxBy(j => lostTo[j])];
        return finding with { IsCertain = isCertain, IsTied = isTied, Open = isCertain ? [] : blocking };
    }

    /// <summary>An effect as the order sees it.</summary>
    public double Height(double effect) => order == TopKOrder.Magnitude ? Math.Abs(effect) : effect;

    private double Limit(ScreenedCandidate candidate, (double Error, double Cost)[] errors, int unsettled)
    {
        if (errors.Length < LeastErrors) return double.PositiveInfinity;
        var square = errors.Average(error => error.Error * error.Error * Math.Max(1, candidate.ExactCost / error.Cost));
        var sides = order == TopKOrder.Magnitude ? 2 : 1;
        var tail = (1 - confidence) / 2 / sides / unsettled;
        return Math.Sqrt(square) * StudentT.InvCDF(0, 1, errors.Length, 1 - tail);
    }
}

/// <summary>What stands at the head of a ranking.</summary>
public enum TopKOrder
{
    /// <summary>The largest effect in size, whatever its sign: what changed the measure most.</summary>
    Magnitude,

    /// <summary>The highest effect: what raised the measure most.</summary>
    Highest,
}

/// <summary>What <see cref="TopKCertificate"/> finds; candidates by their numbers.</summary>
/// <param name="Head">The first, best first, by exact effects where known and screened ones elsewhere.</param>
/// <param name="Rest">All others in order.</param>
/// <param name="ScreeningError">The root mean square of exact less screened effects; null where none is known.</param>
/// <param name="Errors">How many of these are known.</param>
/// <param name="Limits">Of each unsettled one of the rest: how far its exact effect may lie from the screened one.</param>
public sealed record TopKFinding(
    IReadOnlyList<int> Head, IReadOnlyList<int> Rest, double? ScreeningError, int Errors, IReadOnlyDictionary<int, double> Limits)
{
    /// <summary>Whether the head holds at the confidence asked for.</summary>
    public bool IsCertain { get; init; }

    /// <summary>Whether settled candidates are too close on this probe, so that no replay can decide.</summary>
    internal bool IsTied { get; init; }

    /// <summary>Unsettled candidates that have to be settled before the head can be certain.</summary>
    public IReadOnlyList<int> Open { get; init; } = [];
}

/// <summary>A question as the screen answers it.</summary>
/// <param name="Name">The question's.</param>
/// <param name="ExactCost">Of its exact replay, in gradients.</param>
/// <param name="Score">The estimated effect on the measure.</param>
/// <param name="Draws">The same in bootstrap draws over probe examples; null where the screen gives a mean over the probe alone.</param>
public sealed record ScreenedCandidate(string Name, double ExactCost, double Score, IReadOnlyList<double>? Draws = null);

/// <summary>A candidate's effect by exact replay.</summary>
/// <param name="Value">The effect on the measure.</param>
/// <param name="Draws">In bootstrap draws over probe examples, the same draws for every candidate.</param>
public sealed record SettledEffect(double Value, IReadOnlyList<double> Draws);
