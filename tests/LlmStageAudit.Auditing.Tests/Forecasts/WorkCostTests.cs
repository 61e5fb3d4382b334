using LlmStageAudit.Auditing.Forecasts;
using LlmStageAudit.Modeling.Examples;

namespace LlmStageAudit.Auditing.Tests.Forecasts;

public sealed class WorkCostTests
{
    [Fact]
    public void Finds_the_line_that_pieces_lie_on()
    {
        var cost = WorkCost.Fit([.. new long[] { 100, 250, 300, 900 }.Select(tokens => (tokens, 0.5 + (0.002 * tokens)))]);
        Assert.Equal(0.5, cost.FixedSeconds, 12);
        Assert.Equal(0.002, cost.SecondsPerToken, 12);
        Assert.Equal(2 * 0.5 + 0.002 * 1500, cost.Seconds([600, 900]), 12);
    }

    [Fact]
    public void Pieces_of_one_size_give_time_in_proportion_to_tokens()
    {
        var cost = WorkCost.Fit([(1000, 2.0), (1001, 4.0), (999, 3.0)]);
        Assert.Equal(0, cost.FixedSeconds);
        Assert.Equal(6.0, cost.Seconds(2000), 12);
    }

    [Fact]
    public void Neither_part_is_below_zero()
    {
        var falling = WorkCost.Fit([(100, 3.0), (200, 2.0), (300, 1.0)]);
        Assert.Equal((2.0, 0.0), (falling.FixedSeconds, falling.SecondsPerToken));
        var steep = WorkCost.Fit([(100, 0.0), (200, 1.0), (300, 2.0)]);
        Assert.Equal(0, steep.FixedSeconds);
        Assert.Equal(3.0 / 600, steep.SecondsPerToken, 12);
    }

    [Fact]
    public void The_total_of_a_curve_is_right_from_pieces_drawn_evenly()
    {
        // Attention: quadratic in the tokens. The line misses single pieces but not their sum.
        long[] pieces = [.. Enumerable.Range(1, 200).Select(i => (long)(50 * i))];
        static double Truth(long tokens) => 0.01 + (1e-5 * tokens) + (2e-9 * tokens * tokens);
        var (largest, typical) = WorkCost.Choose(pieces, 6);
        Assert.Equal(199, largest);
        Assert.Equal(6, typical.Count);
        var cost = WorkCost.Fit([.. typical.Select(i => (pieces[i], Truth(pieces[i])))]);
        Assert.InRange(cost.Seconds(pieces) / pieces.Sum(Truth), 0.97, 1.03);
        Assert.NotInRange(cost.Seconds(pieces[^1]) / Truth(pieces[^1]), 0.99, 1.01);
    }

    [Theory]
    [InlineData(null, 3 * 7)]
    [InlineData(2, (2 * 4) + 7)]
    public void Padding_counts_in_every_pass(int? microBatchSize, int tokens)
    {
        EncodedExample[] examples = [.. new[] { 4, 9, 2, 7 }.Select(length => new EncodedExample("", new int[length], 0, 0, 0))];
        Assert.Equal(tokens, WorkCost.PaddedTokens([0, 2, 3], microBatchSize, examples));
    }

    [Fact]
    public void The_first_pieces_chosen_stand_for_all()
    {
        long[] pieces = [.. Enumerable.Range(0, 100).Select(i => (long)i)];
        var (_, typical) = WorkCost.Choose(pieces, 6);
        Assert.InRange((pieces[typical[0]] + pieces[typical[1]]) / 2.0, 45, 55);
        Assert.Equal((0, 1), (WorkCost.Choose([5], 6).Largest, WorkCost.Choose([5], 6).Typical.Count));
    }
}
