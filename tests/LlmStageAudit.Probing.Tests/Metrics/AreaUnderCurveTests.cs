using FsCheck.Xunit;
using LlmStageAudit.Probing.Metrics;

namespace LlmStageAudit.Probing.Tests.Metrics;

public sealed class AreaUnderCurveTests
{
    /// <param name="rows">Scores, of which small ones come up often, and whether a row is positive.</param>
    [Property(MaxTest = 300, Replay = "20261128,297405283")]
    public void It_is_the_share_of_pairs_in_order_with_ties_as_halves((int Score, bool IsPositive)[] rows)
    {
        var pairs =
            from positive in rows.Where(row => row.IsPositive)
            from negative in rows.Where(row => !row.IsPositive)
            select positive.Score > negative.Score ? 1 : positive.Score == negative.Score ? 0.5 : 0;
        Assert.Equal(
            pairs.DefaultIfEmpty(double.NaN).Average(),
            AreaUnderCurve.Of([.. rows.Select(row => (double)row.Score)], [.. rows.Select(row => row.IsPositive)]),
            12);
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
