using LlmStageAudit.Attribution.Trust;

namespace LlmStageAudit.Attribution.Tests.Trust;

public sealed class LinearityGapTests
{
    [Fact]
    public void A_linear_probe_has_none()
    {
        double[] effects = [0.5, -2, 0.25];
        Assert.Equal(0, LinearityGap.Of(effects, effects));
        Assert.Equal(0, LinearityGap.Of([0, 0], [0, 0]));
    }

    [Fact]
    public void It_is_the_relative_distance_from_the_finite_effects()
    {
        Assert.Equal(0.5, LinearityGap.Of([3, 4], [3, 1.5]), 1e-15);
        Assert.Equal(double.PositiveInfinity, LinearityGap.Of([0, 0], [1, 0]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    public void It_looks_at_examples_spread_over_the_probe(int examples)
    {
        var sample = LinearityGap.Sample(examples);
        Assert.Equal(Math.Min(64, examples), sample.Length);
        Assert.Equal(sample.Distinct().Order(), sample);
        Assert.Equal(0, sample[0]);
        Assert.InRange(sample[^1], examples - 1 - (examples / 64), examples - 1);
        if (examples <= 64) Assert.Equal(Enumerable.Range(0, examples), sample);
    }
}
