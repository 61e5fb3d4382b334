using LlmStageAudit.Probing.Statistics;

namespace LlmStageAudit.Probing.Tests.Statistics;

public sealed class CorrelationTests
{
    [Fact]
    public void Pearson_of_known_lists()
    {
        Assert.Equal(0.8, Correlation.Pearson([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]), 14);
        Assert.Equal(1, Correlation.Pearson([1, 2, 4], [5, 7, 11]), 14);
        Assert.Equal(-1, Correlation.Pearson([1, 2, 4], [-5, -7, -11]), 14);
        Assert.Equal(0, Correlation.Pearson([-1, 0, 1], [1, -2, 1]), 14);
        // Anscombe's first set.
        Assert.Equal(
            0.81642051634484,
            Correlation.Pearson(
                [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5], [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]),
            12);
    }

    [Fact]
    public void Spearman_ranks_with_ties_in_their_middle()
    {
        // Ranks (1, 2.5, 2.5, 4) and (1, 3, 2, 4): 4.5 / sqrt(4.5 * 5).
        Assert.Equal(0.9486832980505138, Correlation.Spearman([1, 2, 2, 3], [10, 30, 20, 40]), 14);
        Assert.Equal(1, Correlation.Spearman([1, 2, 3, 4], [1, 10, 100, 1e9]), 14);
        Assert.Equal(-0.5, Correlation.Spearman([1, 2, 3], [5, 9, 2]), 14);
        Assert.Equal([1, 3.5, 3.5, 6, 3.5, 3.5], Ranks.Mid([-7, 2, 2, 9, 2, 2]));
        Assert.Equal([3.0, 1, 2], Ranks.Mid([3, 1, 2]));
    }

    [Fact]
    public void Lists_without_variation_have_no_correlation()
    {
        Assert.Equal(double.NaN, Correlation.Pearson([1, 1, 1], [1, 2, 3]));
        Assert.Equal(double.NaN, Correlation.Pearson([1], [2]));
        Assert.Equal(double.NaN, Correlation.Pearson([], []));
        Assert.Throws<ArgumentException>(() => Correlation.Pearson([1, 2], [1]));
    }

    [Fact]
    public void Relative_error_is_against_what_was_measured()
    {
        Assert.Equal(1.0 / 5, Correlation.RelativeError([3, 5], [3, 4]), 14);
        Assert.Equal(1.0 / Math.Sqrt(34), Correlation.RelativeError([3, 4], [3, 5]), 14);
        Assert.Equal(0, Correlation.RelativeError([0, 0], [0, 0]));
        Assert.Equal(double.PositiveInfinity, Correlation.RelativeError([1], [0]));
    }
}
