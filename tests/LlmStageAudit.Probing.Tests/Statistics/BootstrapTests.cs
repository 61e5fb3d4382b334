using System.Text.Json;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Probing.Tests.Statistics;

public sealed class BootstrapTests
{
    [Fact]
    public void The_same_key_gives_the_same_interval()
    {
        var values = Vectors.Normal(40, seed: 1);
        Assert.Equal(Bootstrap.Mean(values, "a"), Bootstrap.Mean(values, "a"));
        Assert.NotEqual(Bootstrap.Mean(values, "a").Low, Bootstrap.Mean(values, "b").Low);
        Assert.Equal(values.Average(), Bootstrap.Mean(values, "b").Estimate, 14);
    }

    [Fact]
    public void The_width_is_that_of_the_normal_theory_and_falls_as_the_root_of_the_count()
    {
        // The same spread at every size: copies of one sample.
        var sample = Vectors.Normal(50, seed: 2);
        var deviation = Math.Sqrt(sample.Average(v => v * v) - Math.Pow(sample.Average(), 2));
        double[] Widths(int copies) => [.. Enumerable.Range(0, 5).Select(key =>
        {
            var result = Bootstrap.Mean([.. Enumerable.Repeat(sample, copies).SelectMany(values => values)], $"{key}");
            Assert.InRange(result.Estimate, result.Low, result.High);
            return result.High - result.Low;
        })];
        var (small, large) = (Widths(2).Average(), Widths(32).Average());
        Assert.Equal(2 * 1.96 * deviation / Math.Sqrt(100), small, 0.03 * small);
        Assert.InRange(small / large, 3.8, 4.2);
    }

    [Fact]
    public void Intervals_cover_the_truth_about_as_often_as_they_say()
    {
        var covered = Enumerable.Range(0, 300).Count(seed =>
        {
            var result = Bootstrap.Mean([.. Vectors.Normal(60, seed).Select(value => value + 3)], $"{seed}");
            return result.Low <= 3 && 3 <= result.High;
        });
        Assert.InRange(covered, 273, 297); // 95% of 300 is 285
    }

    [Fact]
    public void One_or_two_examples_tell_nothing_and_agreement_to_the_bit_leaves_no_doubt()
    {
        Assert.Equal((5, double.NaN, double.NaN), Shape(Bootstrap.Mean([5], "k")));
        Assert.Equal((2.0, 2.0, 2.0), Shape(Bootstrap.Mean([2, 2, 2], "k")));
        Assert.Equal((4, double.NaN, double.NaN), Shape(Bootstrap.Contrast([(1, [7, 8, 6]), (-1, [3])], "k")));
        Assert.Equal((1.5, double.NaN, double.NaN), Shape(Bootstrap.Mean([1, 2], "k")));
        var wide = Bootstrap.Mean([1, 2, 4], "k");
        Assert.True(wide.High - wide.Low > 4 - 1, $"{wide}");
    }

    [SharedFact("goldens/metrics/bootstrap.json")]
    public void Intervals_equal_the_reference_on_its_resamples()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(SharedData.At("goldens/metrics/bootstrap.json")));
        foreach (var @case in file.RootElement.GetProperty("cases").EnumerateArray())
        {
            double[] values = [.. @case.GetProperty("values").EnumerateArray().Select(value => value.GetDouble())];
            int[][] resamples = [.. @case.GetProperty("resamples").EnumerateArray()
                .Select(one => one.EnumerateArray().Select(i => i.GetInt32()).ToArray())];
            var (tail, expected) = (@case.GetProperty("alpha").GetDouble() / 2, @case.GetProperty("expected"));
            var studentized = Bootstrap.Studentized([(1, values)], resamples.Select(one => Drawn(values, one)), tail);
            var corrected = Bootstrap.BiasCorrected(values.Length, Mean, resamples.Select(Mean), tail);
            Near(expected.GetProperty("mean").GetDouble(), studentized.Estimate);
            Near(expected.GetProperty("studentized")[0].GetDouble(), studentized.Low);
            Near(expected.GetProperty("studentized")[1].GetDouble(), studentized.High);
            Near(expected.GetProperty("bca")[0].GetDouble(), corrected.Low);
            Near(expected.GetProperty("bca")[1].GetDouble(), corrected.High);

            // Resamples that equal the estimate but for rounding count as the reference rounds them: in eight sums, as numpy adds.
            double Mean(int[] indices)
            {
                var whole = indices.Length / 8 * 8;
                var sums = new double[8];
                for (var i = 0; i < whole; i++) sums[i % 8] += values[indices[i]];
                var sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
                return indices.Skip(whole).Aggregate(sum, (all, i) => all + values[i]) / indices.Length;
            }
        }

        static void Near(double expected, double found) => Assert.Equal(expected, found, 1e-9 * Math.Max(1, Math.Abs(expected)));

        static (double, double) Drawn(double[] values, int[] indices)
        {
            var mean = indices.Average(i => values[i]);
            var deviation = Math.Sqrt(indices.Sum(i => Math.Pow(values[i] - mean, 2)) / (indices.Length - 1));
            return (mean, deviation / Math.Sqrt(indices.Length));
        }
    }

    [Fact]
    public void A_contrast_weighs_the_means_of_its_cells()
    {
        var (high, low) = (Vectors.Normal(30, 1), Vectors.Normal(90, 2));
        var result = Bootstrap.Contrast([(0.5, high), (-2, low)], "k");
        Assert.Equal((0.5 * high.Average()) - (2 * low.Average()), result.Estimate, 14);
        double Variance(double[] values) => (values.Average(v => v * v) - Math.Pow(values.Average(), 2)) / values.Length;
        var width = 2 * 1.96 * Math.Sqrt((0.25 * Variance(high)) + (4 * Variance(low)));
        Assert.Equal(width, result.High - result.Low, 0.08 * width);
        // A cell without spread adds none.
        Assert.Equal((4.0, 4.0, 4.0), Shape(Bootstrap.Contrast([(1, [7, 7, 7]), (-1, [3, 3, 3])], "k")));
    }

    [Fact]
    public void A_statistic_that_is_the_mean_agrees_with_the_mean()
    {
        var values = Vectors.Normal(40, seed: 3);
        var (mean, statistic) = (Bootstrap.Mean(values, "k"), Bootstrap.Statistic(40, indices => indices.Average(i => values[i]), "k"));
        Assert.Equal(mean.Estimate, statistic.Estimate, 12);
        // Studentized the one, BCa the other: alike, not the same.
        Assert.Equal(mean.Low, statistic.Low, 0.15 * (mean.High - mean.Low));
        Assert.Equal(mean.High, statistic.High, 0.15 * (mean.High - mean.Low));
    }

    [Fact]
    public void Draws_without_a_value_are_left_out()
    {
        var result = Bootstrap.Statistic(3, indices => indices.Contains(0) ? 5 : double.NaN, "k");
        Assert.Equal((5.0, 5.0, 5.0), Shape(result));
        Assert.True(double.IsNaN(Bootstrap.Statistic(3, _ => double.NaN, "k").Low));
    }

    private static (double Estimate, double Low, double High) Shape(BootstrapResult result) => (result.Estimate, result.Low, result.High);
}
