using System.Collections.Concurrent;
using System.Numerics;
using LlmStageAudit.Checkpoints.Models;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// Rotary position embedding (Su et al. 2021), in the half-split layout Hugging Face checkpoints use: with angles
/// <code>a[t, i] = t w_i,  i = 0 .. R/2 - 1</code>
/// and the frequencies w of <see cref="RotaryFrequencies"/>, the first R dimensions of a head, as halves (x1, x2), become
/// (x1 cos a - x2 sin a, x2 cos a + x1 sin a); the rest pass. R is even.
/// </summary>
internal sealed class RotaryEmbedding(int rotaryDimensions, RotaryConfig config) : IDisposable
{
    private const long ShortestTable = 64;

    private readonly double[] _frequencies = RotaryFrequencies.Of(config, rotaryDimensions);
    private readonly ConcurrentDictionary<(long Tokens, ScalarType Dtype, string Device), (Tensor Cos, Tensor Sin)> _tables = new();

    /// <summary>Turns each pair of features of x [B, heads, T, D] by the angle of its position, 0 .. T - 1.</summary>
    public Tensor Rotate(Tensor x) => WrappedTensorDisposeScope(() =>
    {
        var shape = x.shape;
        var (cos, sin) = Angles(shape[2], x.dtype, x.device);
        var half = rotaryDimensions / 2;
        var first = x.narrow(-1, 0, half);
        var second = x.narrow(-1, half, half);
        var rotated = new List<Tensor> { (first * cos) - (second * sin), (second * cos).plus(first * sin) };
        if (rotaryDimensions < shape[3]) rotated.Add(x.narrow(-1, rotaryDimensions, shape[3] - rotaryDimensions));
        return cat(rotated, -1);
    });

    public void Dispose()
    {
        foreach (var (cos, sin) in _tables.Values)
        {
            cos.Dispose();
            sin.Dispose();
        }

        _tables.Clear();
    }

    /// <summary>cos and sin [T, R/2], in the current dispose scope: the beginning of tables that outlive it.</summary>
    private (Tensor Cos, Tensor Sin) Angles(long tokens, ScalarType dtype, Device device)
    {
        // One table per power of two: over a long run every length comes up, and a table of its own for each would add up. Which
        // table serves a length does not depend on what came before, so neither do the bits.
        var rows = (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(tokens, ShortestTable));
        var (cos, sin) = _tables.GetOrAdd((rows, dtype, device.ToString()), _ =>
        {
            using var scope = NewDisposeScope();
            using var off = no_grad();
            // The reference computes the angles in float32, so float32 models do too.
            var single = dtype != ScalarType.Float64;
            var angles = new double[rows * _frequencies.Length];
            for (var i = 0; i < angles.Length; i++)
            {
                var (t, w) = (i / _frequencies.Length, _frequencies[i % _frequencies.Length]);
                angles[i] = single ? (float)(t * (float)w) : t * w;
            }

            var table = TensorMemory.Of(angles, [rows, _frequencies.Length], device);
            return (scope.Detach(table.cos().to(dtype).clone()), scope.Detach(table.sin().to(dtype).clone()));
        });
        return (cos.narrow(0, 0, tokens), sin.narrow(0, 0, tokens));
    }
}

/// <summary>
/// The frequencies of a rotary embedding, in radians per token:
/// <code>
/// none    w_i = theta^(-2i / R),  i = 0 .. R/2 - 1
/// linear  w_i / factor
/// llama3  w_i where w_i turns more than high times over the original context C, w_i / factor where it turns less than low
///         times, and between, with s = (turns - low) / (high - low) and turns = C w_i / 2 pi:  s w_i + (1 - s) w_i / factor
/// </code>
/// Sources: Su et al. 2021; Chen et al. 2023 (linear); Llama 3.1 and transformers' modeling_rope_utils (llama3).
/// </summary>
internal static class RotaryFrequencies
{
    /// <summary>The angle per position of each of the R / 2 pairs of features, in radians.</summary>
    public static double[] Of(RotaryConfig config, int dimensions) =>
        [.. Enumerable.Range(0, dimensions / 2).Select(i => Scaled(config, 1 / Math.Pow(config.Theta, 2.0 * i / dimensions)))];

    private static double Scaled(RotaryConfig config, double frequency)
    {
        if (config.Scaling == RotaryScaling.Linear) return frequency / config.Factor;
        if (config.Scaling == RotaryScaling.None) return frequency;
        var turns = config.OriginalMaxPositions * frequency / (2 * Math.PI);
        var kept = (turns - config.LowFrequencyFactor) / (config.HighFrequencyFactor - config.LowFrequencyFactor);
        kept = Math.Clamp(kept, 0, 1);
        return (kept * frequency) + ((1 - kept) * frequency / config.Factor);
    }
}
