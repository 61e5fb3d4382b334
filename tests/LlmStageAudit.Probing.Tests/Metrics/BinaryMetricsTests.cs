using LlmStageAudit.Probing.Metrics;

namespace LlmStageAudit.Probing.Tests.Metrics;

public sealed class BinaryMetricsTests
{
    [Fact]
    public void Overall_metrics_of_the_table()
    {
        Equal(BinaryMetrics.Of(HandTable.All), new()
        {
            [MetricNames.Accuracy] = 5.0 / 8, // wrong: 1 (missed), 2 and 7 (flagged)
            [MetricNames.Auc] = 13.0 / 16, // 2, 3 and 1 beat all four negatives, -1 only one
            [MetricNames.FalsePositiveRate] = 2.0 / 4,
            [MetricNames.FalseNegativeRate] = 1.0 / 4,
            [MetricNames.Positives] = 4,
        });
    }

    [Fact]
    public void Group_metrics_of_the_table()
    {
        Equal(BinaryMetrics.OfGroup(HandTable.In(HandTable.First), HandTable.OutOf(HandTable.First)), new()
        {
            [MetricNames.Accuracy] = 1.0 / 2,
            [MetricNames.FalsePositiveRate] = 1.0 / 2,
            [MetricNames.FalseNegativeRate] = 1.0 / 2,
            [MetricNames.Positives] = 2,
            [MetricNames.SubgroupAuc] = 3.0 / 4, // {2, -1} over {.5, -2}
            [MetricNames.BpsnAuc] = 1, // the background's {3, 1} over the group's {.5, -2}
            [MetricNames.BnspAuc] = 1.0 / 2, // the group's {2, -1} over the background's {-.5, .8}
        });
        Equal(BinaryMetrics.OfGroup(HandTable.In(HandTable.Second), HandTable.OutOf(HandTable.Second)), new()
        {
            [MetricNames.Accuracy] = 3.0 / 4,
            [MetricNames.FalsePositiveRate] = 1.0 / 2,
            [MetricNames.FalseNegativeRate] = 0,
            [MetricNames.Positives] = 2,
            [MetricNames.SubgroupAuc] = 1,
            [MetricNames.BpsnAuc] = 1.0 / 2, // {-1, 3} over {.5, -.5}
            [MetricNames.BnspAuc] = 1, // {2, 1} over {-2, .8}
        });
    }

    [Fact]
    public void The_final_score_takes_power_means_over_the_groups()
    {
        Dictionary<string, double>[] groups =
        [
            BinaryMetrics.OfGroup(HandTable.In(HandTable.First), HandTable.OutOf(HandTable.First)),
            BinaryMetrics.OfGroup(HandTable.In(HandTable.Second), HandTable.OutOf(HandTable.Second)),
        ];
        // Of one group its own values; of both, ((.75^-5 + 1) / 2)^(-1/5) and twice ((.5^-5 + 1) / 2)^(-1/5).
        Assert.Equal(0.25 * ((13.0 / 16) + 0.75 + 1 + 0.5), BinaryMetrics.FinalScore(13.0 / 16, groups[..1]), 14);
        var first = Math.Pow(((1024.0 / 243) + 1) / 2, -0.2);
        var second = Math.Pow(33.0 / 2, -0.2);
        Assert.InRange(first, 0.82, 0.83);
        Assert.InRange(second, 0.57, 0.58);
        Assert.Equal(0.25 * ((13.0 / 16) + first + (2 * second)), BinaryMetrics.FinalScore(13.0 / 16, groups), 14);
    }

    [Fact]
    public void Groups_where_an_AUC_is_undefined_are_left_out_of_its_mean_and_one_of_zero_makes_it_zero()
    {
        Dictionary<string, double> Group(double auc) =>
            new() { [MetricNames.SubgroupAuc] = auc, [MetricNames.BpsnAuc] = 1, [MetricNames.BnspAuc] = 1 };
        Assert.Equal(0.25 * (1 + 0.5 + 2), BinaryMetrics.FinalScore(1, [Group(0.5), Group(double.NaN)]), 14);
        Assert.Equal(0.25 * (1 + 0 + 2), BinaryMetrics.FinalScore(1, [Group(0.5), Group(0)]), 14);
        Assert.Equal(double.NaN, BinaryMetrics.FinalScore(1, [Group(double.NaN)]));
    }

    [Fact]
    public void The_worst_group_is_the_worst_cell_of_group_and_label()
    {
        Assert.Equal(0.5, BinaryMetrics.WorstGroupAccuracy([HandTable.In(HandTable.First)]));
        // {0, 5}: right, right; {2, 6}: wrong, right.
        Assert.Equal(0.5, BinaryMetrics.WorstGroupAccuracy([HandTable.In(HandTable.Second)]));
        Assert.Equal(0, BinaryMetrics.WorstGroupAccuracy([HandTable.In(HandTable.First), HandTable.In([1])]));
        // A group of 3 right of 4 positives and 1 of 1 negatives: .75, not .8.
        Assert.Equal(0.75, BinaryMetrics.WorstGroupAccuracy([HandTable.In([0, 1, 4, 5, 6])]));
        Assert.Equal(double.NaN, BinaryMetrics.WorstGroupAccuracy([[]]));
    }

    [Fact]
    public void What_is_not_defined_is_NaN()
    {
        var empty = BinaryMetrics.OfGroup([], HandTable.All);
        Assert.All(empty.Where(pair => pair.Key != MetricNames.Positives), pair => Assert.Equal(double.NaN, pair.Value));
        Assert.Equal(double.NaN, BinaryMetrics.Of(HandTable.In([0, 1]))[MetricNames.FalsePositiveRate]);
    }

    [Fact]
    public void A_score_of_zero_is_not_flagged() => Assert.False(new ScoredExample(0, true).Flagged);

    private static void Equal(Dictionary<string, double> found, Dictionary<string, double> expected)
    {
        Assert.Equal(expected.Keys.Order(), found.Keys.Order());
        foreach (var (name, value) in expected)
            Assert.True(Math.Abs(value - found[name]) < 1e-14, $"{name}: expected {value}, found {found[name]}");
    }
}
