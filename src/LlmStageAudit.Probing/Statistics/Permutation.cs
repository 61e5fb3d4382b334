using LlmStageAudit.Foundation.Randomness;

namespace LlmStageAudit.Probing.Statistics;

/// <summary>How often a relabelling that the null hypothesis allows gives a statistic T as far out as the observed one.</summary>
/// <param name="Statistic">T as observed.</param>
/// <param name="Relabellings">How many were looked at, the observed one among them.</param>
/// <param name="TwoSided">Share with |T'| of at least |T|.</param>
/// <param name="Greater">Share with T' of at least T.</param>
/// <param name="Less">Share with T' of at most T.</param>
public readonly record struct PermutationResult(double Statistic, long Relabellings, double TwoSided, double Greater, double Less);

/// <summary>
/// Permutation tests (Fisher 1935, Pitman 1937): exact where few relabellings are possible, else on a random sample of them in which
/// the observed one is counted, so that p is never 0 and never too small (Phipson, Smyth 2010).
/// <code>
/// two groups    T = sum over strata of weight (mean in the group - mean of the rest);  membership exchanged within strata
/// sign flips    T = mean of paired differences;                                       each sign exchanged
/// </code>
/// </summary>
public static class Permutation
{
    /// <summary>With fewer rows in a cell there are too few relabellings to tell anything.</summary>
    public const int LeastRows = 5;

    /// <summary>Up to so many relabellings all are looked at.</summary>
    private const long MostExact = 20_000;

    private const int Sampled = 9_999;

    /// <summary>Whether membership matters, where rows of one stratum are exchangeable.</summary>
    /// <param name="strata">Weight, and the values of the group and of the rest in each; neither is empty.</param>
    /// <param name="key">Names the random stream, so that repeated runs agree.</param>
    internal static PermutationResult TwoGroups(
        IReadOnlyList<(double Weight, IReadOnlyList<double> Group, IReadOnlyList<double> Others)> strata, string key)
    {
        var pools = strata.Select(stratum => new Pool(stratum.Weight, stratum.Group, stratum.Others)).ToArray();
        var observed = pools.Sum(pool => pool.Contrast(pool.Values.Take(pool.Drawn).Sum()));
        if (pools.Aggregate(1.0, (all, pool) => all * pool.Splits) > MostExact)
        {
            var random = StableRandom.For(0, "permutation", key);
            return Count(observed, Enumerable.Range(0, Sampled).Select(_ => pools.Sum(pool => pool.Draw(random))).Prepend(observed));
        }

        IEnumerable<double> all = [0.0];
        foreach (var pool in pools)
        {
            double[] own = [.. Sums(pool.Values, pool.Drawn, 0).Select(pool.Contrast)];
            all = all.SelectMany(_ => own, (others, one) => others + one);
        }

        return Count(observed, all);
    }

    /// <summary>Whether paired differences are centred on 0.</summary>
    /// <param name="differences">At least one.</param>
    /// <param name="key">Names the random stream.</param>
    public static PermutationResult SignFlips(IReadOnlyList<double> differences, string key)
    {
        var observed = differences.Average();
        if (differences.Count < 63 && 1L << differences.Count <= MostExact)
        {
            return Count(observed, Enumerable.Range(0, 1 << differences.Count).Select(
                flips => differences.Select((value, i) => (flips >> i & 1) == 0 ? value : -value).Average()));
        }

        var random = StableRandom.For(0, "sign flips", key);
        return Count(observed, Enumerable.Range(0, Sampled).Select(_ => Flipped()).Prepend(observed));

        double Flipped()
        {
            var (sum, bits) = (0.0, 0UL);
            for (var i = 0; i < differences.Count; i++, bits >>= 1)
            {
                if (i % 64 == 0) bits = random.NextUInt64();
                sum += (bits & 1) == 0 ? differences[i] : -differences[i];
            }

            return sum / differences.Count;
        }
    }

    /// <summary>Sums that round differently are the same statistic.</summary>
    private static PermutationResult Count(double observed, IEnumerable<double> statistics)
    {
        var tolerance = 1e-12 * Math.Max(1, Math.Abs(observed));
        var (all, twoSided, greater, less) = (0L, 0L, 0L, 0L);
        foreach (var statistic in statistics)
        {
            all++;
            if (Math.Abs(statistic) >= Math.Abs(observed) - tolerance) twoSided++;
            if (statistic >= observed - tolerance) greater++;
            if (statistic <= observed + tolerance) less++;
        }

        return new PermutationResult(observed, all, (double)twoSided / all, (double)greater / all, (double)less / all);
    }

    /// <summary>The sums of all choices of so many values, from a place on.</summary>
    private static IEnumerable<double> Sums(double[] values, int count, int from)
    {
        if (count == 0)
        {
            yield return 0;
            yield break;
        }

        for (var i = from; i <= values.Length - count; i++)
        {
            foreach (var rest in Sums(values, count - 1, i + 1)) yield return values[i] + rest;
        }
    }

    /// <summary>The rows of one stratum. The smaller of group and rest is what is drawn.</summary>
    private sealed class Pool
    {
        private readonly double _weight;
        private readonly double _total;
        private readonly bool _drawsGroup;

        public Pool(double weight, IReadOnlyList<double> group, IReadOnlyList<double> rest)
        {
            (_weight, _drawsGroup, Drawn) = (weight, group.Count <= rest.Count, Math.Min(group.Count, rest.Count));
            Values = _drawsGroup ? [.. group, .. rest] : [.. rest, .. group];
            _total = Values.Sum();
        }

        public double[] Values { get; }

        public int Drawn { get; }

        /// <summary>Ways to split the rows: n over k.</summary>
        public double Splits => Enumerable.Range(1, Drawn).Aggregate(1.0, (ways, i) => ways * (Values.Length - Drawn + i) / i);

        /// <summary>The stratum's part of T where the drawn rows sum to this.</summary>
        public double Contrast(double sum)
        {
            var difference = (sum / Drawn) - ((_total - sum) / (Values.Length - Drawn));
            return _weight * (_drawsGroup ? difference : -difference);
        }

        /// <summary>Another split, each as likely as any.</summary>
        public double Draw(StableRandom random)
        {
            var sum = 0.0;
            for (var i = 0; i < Drawn; i++)
            {
                var j = i + random.Next(Values.Length - i);
                (Values[i], Values[j]) = (Values[j], Values[i]);
                sum += Values[i];
            }

            return Contrast(sum);
        }
    }
}
