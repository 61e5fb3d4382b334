using LlmStageAudit.Attribution.Screening;

namespace LlmStageAudit.Attribution.Tests.Screening;

/// <summary>Certificates of made-up effects, against counts and quantiles from tables.</summary>
public sealed class TopKCertificateTests
{
    /// <summary>Student's quantiles with 3 degrees of freedom at 1 - 0.05 / 2 and at 1 - 0.05 / 4.</summary>
    private const double OneSided = 3.18245;
    private const double TwoSided = 4.17653;

    [Fact]
    public void Among_settled_candidates_the_share_of_draws_decides()
    {
        // In 6 of 100 draws the second beats the first: (6 + 1) / 101 = 0.0693.
        var first = new SettledEffect(1, [.. Enumerable.Repeat(1.0, 100)]);
        var second = new SettledEffect(0.5, [.. Enumerable.Range(0, 100).Select(i => i < 6 ? 1.5 : 0.5)]);
        var third = new SettledEffect(0.2, [.. Enumerable.Repeat(0.2, 100)]);
        ScreenedCandidate[] candidates = [Candidate("third", 0), Candidate("first", 0), Candidate("second", 0)];
        SettledEffect?[] settled = [third, first, second];

        var sure = new TopKCertificate(0.93, 1, TopKOrder.Highest).Examine(candidates, settled);
        Assert.True(sure.IsCertain);
        Assert.Equal([1], sure.Head);
        Assert.Equal([2, 0], sure.Rest);

        var unsure = new TopKCertificate(0.931, 1, TopKOrder.Highest).Examine(candidates, settled);
        Assert.False(unsure.IsCertain);
        Assert.True(unsure.IsTied);
        Assert.Empty(unsure.Open); // Nothing is left to settle.

        // As a set the first two are certain.
        Assert.True(new TopKCertificate(0.99, 2, TopKOrder.Highest).Examine(candidates, settled).IsCertain);
        Assert.True(new TopKCertificate(0.99, 3, TopKOrder.Highest).Examine(candidates, settled).IsCertain);
    }

    [Fact]
    public void Draws_are_paired()
    {
        // Both move by far more than they differ, but together.
        double[] shared = [.. Enumerable.Range(0, 200).Select(i => Math.Sin(i))];
        SettledEffect?[] settled = [new(1, [.. shared.Select(x => 1.00 + x)]), new(1.01, [.. shared.Select(x => 1.01 + x)])];
        var found = new TopKCertificate(0.95, 1, TopKOrder.Highest).Examine([Candidate("a", 0), Candidate("b", 0)], settled);
        Assert.True(found.IsCertain);
        Assert.Equal([1], found.Head);
    }

    [Fact]
    public void The_largest_in_size_may_be_negative()
    {
        SettledEffect?[] settled = [Exactly(1), Exactly(-2)];
        ScreenedCandidate[] candidates = [Candidate("up", 0), Candidate("down", 0)];
        Assert.Equal([1], new TopKCertificate(0.95, 1, TopKOrder.Magnitude).Examine(candidates, settled).Head);
        Assert.Equal([0], new TopKCertificate(0.95, 1, TopKOrder.Highest).Examine(candidates, settled).Head);
    }

    [Theory]
    [InlineData(TopKOrder.Highest, 0.999, true)]
    [InlineData(TopKOrder.Highest, 1.001, false)]
    [InlineData(TopKOrder.Magnitude, 0.999, true)]
    [InlineData(TopKOrder.Magnitude, 1.001, false)]
    public void An_unsettled_one_is_excluded_by_students_bound_on_the_screens_error(TopKOrder order, double part, bool certain)
    {
        // Errors 0.1, -0.2, 0.2: sigma = sqrt(0.09 / 3).
        var limit = Math.Sqrt(0.03) * (order == TopKOrder.Magnitude ? TwoSided : OneSided);
        ScreenedCandidate[] candidates =
            [
                Candidate("a", 3 - 0.1, 5),
                Candidate("b", 1 + 0.2, 5),
                Candidate("c", 0.5 - 0.2, 5),
                Candidate("open", 3 - (limit / part), 5),
            ];
        SettledEffect?[] settled = [Exactly(3), Exactly(1), Exactly(0.5), null];
        var found = new TopKCertificate(0.95, 1, order).Examine(candidates, settled);
        Assert.Equal(limit, found.Limits[3], 1e-4);
        Assert.Equal(Math.Sqrt(0.03), found.ScreeningError!.Value, 1e-12);
        Assert.Equal(certain, found.IsCertain);
        Assert.Equal(certain ? [] : [3], found.Open);
        Assert.False(found.IsTied);
    }

    [Fact]
    public void Errors_grow_towards_the_start_of_the_run_and_never_shrink_towards_its_end()
    {
        SettledEffect?[] settled = [Exactly(3), Exactly(1), Exactly(0), null, null];
        ScreenedCandidate[] candidates =
            [Candidate("a", 3.1, 4), Candidate("b", 1.1, 4), Candidate("c", 0.1, 4), Candidate("early", 0, 16), Candidate("late", 0, 1)];
        var limits = new TopKCertificate(0.95, 1, TopKOrder.Highest).Examine(candidates, settled).Limits;
        Assert.Equal(2, limits[3] / limits[4], 1e-12);
        Assert.True(limits[4] > 0.1 * OneSided);
    }

    [Fact]
    public void Two_errors_say_nothing_about_unsettled_candidates()
    {
        // The third costs nothing: the screen made no error there and may make one elsewhere.
        SettledEffect?[] settled = [Exactly(9), Exactly(1), Exactly(0.5), null];
        ScreenedCandidate[] candidates = [Candidate("a", 9, 5), Candidate("b", 1, 5), Candidate("last", 0.5), Candidate("open", 0, 5)];
        var found = new TopKCertificate(0.95, 1, TopKOrder.Highest).Examine(candidates, settled);
        Assert.False(found.IsCertain);
        Assert.Equal(2, found.Errors);
        Assert.Equal(double.PositiveInfinity, found.Limits[3]);
        Assert.Equal([3], found.Open);
    }

    [Fact]
    public void A_head_that_is_not_settled_is_not_certain()
    {
        SettledEffect?[] settled = [Exactly(1), null, Exactly(0.9), Exactly(0.8)];
        var found = new TopKCertificate(0.95, 1, TopKOrder.Highest).Examine(
            [Candidate("a", 1, 5), Candidate("b", 100, 5), Candidate("c", 0.9, 5), Candidate("d", 0.8, 5)], settled);
        Assert.Equal([1], found.Head);
        Assert.False(found.IsCertain);
        Assert.Equal([1], found.Open);
    }

    [Fact]
    public void Draws_that_leave_the_measure_undefined_are_not_counted()
    {
        SettledEffect?[] settled = [new(1, [1, double.NaN, .. Enumerable.Repeat(1.0, 50)]), new(0, [0, 5, .. Enumerable.Repeat(0.0, 50)])];
        Assert.True(new TopKCertificate(0.95, 1, TopKOrder.Highest).Examine([Candidate("a", 0), Candidate("b", 0)], settled).IsCertain);
    }

    private static ScreenedCandidate Candidate(string name, double score, double cost = 0) => new(name, cost, score);

    private static SettledEffect Exactly(double value) => new(value, [.. Enumerable.Repeat(value, 100)]);
}
