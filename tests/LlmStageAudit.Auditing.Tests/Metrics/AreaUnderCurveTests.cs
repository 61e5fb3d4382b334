using LlmStageAudit.Artifacts.Randomness;
using LlmStageAudit.Auditing.Metrics;

namespace LlmStageAudit.Auditing.Tests.Metrics;

public sealed class AreaUnderCurveTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(1_000_000)]
    public void It_is_the_share_of_pairs_in_order_with_ties_as_halves(int levels)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = StableRandom.For(seed, "auc");
            var scores = Enumerable.Range(0, 60).Select(_ => (double)random.Next(levels) - 1).ToArray();
            var positives = scores.Select(score => random.Next(levels) < score + 2).ToArray();
            if (positives.Distinct().Count() < 2) continue;
            var pairs =
                from p in Enumerable.Range(0, 60)
                from n in Enumerable.Range(0, 60)
                where positives[p] && !positives[n]
                select (scores[p], scores[n]);
            Assert.Equal(
                pairs.Average(pair => pair.Item1 > pair.Item2 ? 1 : pair.Item1 == pair.Item2 ? 0.5 : 0),
                AreaUnderCurve.Of(scores, positives),
                12);
        }
    }

    [Fact]
    public void Ends_of_the_scale()
    {
        Assert.Equal(1, AreaUnderCurve.Of([1, 2, 3], [false, true, true]));
        Assert.Equal(0, AreaUnderCurve.Of([3, 2, 1], [false, true, true]));
        Assert.Equal(0.5, AreaUnderCurve.Of([2, 2, 2], [false, true, true]));
        Assert.Equal(double.NaN, AreaUnderCurve.Of([1, 2], [true, true]));
        Assert.Equal(double.NaN, AreaUnderCurve.Of([1, 2], [false, false]));
        Assert.Equal(double.NaN, AreaUnderCurve.Of([], []));
    }
}
