using System.Numerics;
using LlmStageAudit.Checkpoints.Models;
using LlmStageAudit.Modeling.Tests.Derivations;
using LlmStageAudit.Modeling.Transformers;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Modeling.Tests.Transformers;

public sealed class RotaryEmbeddingTests
{
    private const int Dimensions = 10;
    private const int Tokens = 6;

    [Theory]
    [InlineData(4, 100.0)]
    [InlineData(10, 10_000.0)]
    public void Pairs_of_dimensions_turn_as_complex_numbers(int rotated, double theta)
    {
        using var scope = NewDisposeScope();
        using var rotary = new RotaryEmbedding(rotated, new RotaryConfig(theta));
        var values = Vectors.Normal(2 * 3 * Tokens * Dimensions, seed: 1);
        var found = rotary.Rotate(TensorMemory.Of(values, [2, 3, Tokens, Dimensions])).ToArray<double>();
        var expected = values.ToArray();
        for (var row = 0; row < 6 * Tokens; row++)
        {
            for (var i = 0; i < rotated / 2; i++)
            {
                var (first, second) = ((row * Dimensions) + i, (row * Dimensions) + i + (rotated / 2));
                var turn = Complex.Exp(Complex.ImaginaryOne * (row % Tokens) * Math.Pow(theta, -2.0 * i / rotated));
                var z = new Complex(values[first], values[second]) * turn;
                (expected[first], expected[second]) = (z.Real, z.Imaginary);
            }
        }

        Vectors.Close(expected, found, 1e-14);
    }

    [Fact]
    public void Frequencies_of_Llama_3_1_are_kept_mixed_and_divided()
    {
        var config = new RotaryConfig(500_000)
        {
            Scaling = RotaryScaling.Llama3,
            Factor = 8,
            LowFrequencyFactor = 1,
            HighFrequencyFactor = 4,
            OriginalMaxPositions = 8192,
        };
        var plain = PlainMath.Frequencies(500_000, 128);
        var found = RotaryFrequencies.Of(config, 128);
        var expected = PlainMath.Llama3(plain, 8, 1, 4, 8192);
        Assert.All(expected.Zip(found), pair => Assert.Equal(1, pair.Second / pair.First, 1e-13));
        var ratios = found.Zip(plain, (f, p) => f / p).ToArray();
        Assert.Equal(
            [29, 6, 29],
            [ratios.Count(r => r > 0.9999), ratios.Count(r => r is > 0.1251 and < 0.9999), ratios.Count(r => r < 0.1251)]);
    }

    [Fact]
    public void Single_precision_is_close_to_double()
    {
        using var scope = NewDisposeScope();
        using var rotary = new RotaryEmbedding(4, new RotaryConfig(100));
        var values = Vectors.Normal(Tokens * Dimensions, seed: 2);
        var wide = TensorMemory.Of(values, [1, 1, Tokens, Dimensions]);
        Vectors.Close(rotary.Rotate(wide).ToArray<double>(), rotary.Rotate(wide.to(float32)).to(float64).ToArray<double>(), 1e-6);
    }

    [Fact]
    public void Tables_are_freed_with_the_embedding()
    {
        LiveTensors.ReturnToTheirCount(() =>
        {
            using var scope = NewDisposeScope();
            using var rotary = new RotaryEmbedding(4, new RotaryConfig(100));
            rotary.Rotate(ones([1, 1, Tokens, Dimensions]));
            rotary.Rotate(ones([1, 1, Tokens + 1, Dimensions]));
        });
    }
}
