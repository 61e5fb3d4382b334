using LlmStageAudit.Foundation.Randomness;
using Xunit;

namespace LlmStageAudit.Testing;

/// <summary>Vectors of numbers in tests: made from a seed, compared by length.</summary>
public static class Vectors
{
    /// <summary>Standard normal numbers times a scale.</summary>
    public static double[] Normal(long count, long seed, double scale = 1)
    {
        var random = StableRandom.For(seed, "vector");
        return [.. Enumerable.Range(0, (int)count).Select(_ => scale * random.NextNormal())];
    }

    /// <summary>||found - expected|| / ||expected||.</summary>
    public static double RelativeDistance(IReadOnlyList<double> expected, IReadOnlyList<double> found)
    {
        Assert.Equal(expected.Count, found.Count);
        var difference = Math.Sqrt(expected.Zip(found, (e, f) => (e - f) * (e - f)).Sum());
        var length = Math.Sqrt(expected.Sum(e => e * e));
        return difference == 0 ? 0 : difference / length;
    }

    public static void Close(IReadOnlyList<double> expected, IReadOnlyList<double> found, double relative)
    {
        var distance = RelativeDistance(expected, found);
        Assert.True(distance <= relative, $"relative distance {distance:g3}, at most {relative:g3} expected");
    }

    /// <summary>Demands the same bits, so that -0 differs from 0 and no tolerance hides anything.</summary>
    public static void SameBits(Tensor expected, Tensor found)
    {
        Assert.Equal(expected.dtype, found.dtype);
        Assert.Equal(
            expected.to(float64).ToArray<double>().Select(BitConverter.DoubleToInt64Bits),
            found.to(float64).ToArray<double>().Select(BitConverter.DoubleToInt64Bits));
    }
}
