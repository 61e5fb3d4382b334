using System.Collections.Concurrent;
using System.Numerics;
using LlmStageAudit.Checkpoints.Models;

namespace LlmStageAudit.Modeling.Transformers;

/// <summary>
/// Rotary position embedding (Su et al. 2021), in the half-split layout Hugging Face checkpoints use: with angles
/// <code>a[t, i] = t w_i,  i = 0 .. R/2 - 1</code>
/// and the frequencies w of <see cref="RotaryFrequencies"/>, the first R dimensions of a head, as halves (x1, x2), become
/// (x1 cos a - x2 sin a, x2 cos a + x1 sin a); the rest pass.
/// </summary>
/// <param name="rotaryDimensions">R, even.</param>
/// <param name="config">The frequencies.</param>
internal sealed class RotaryEmbedding(int rotaryDimensions, RotaryConfig config) : IDisposable
{
    private const long ShortestTable = 64;

    private readonly double[] _frequencies = RotaryFrequencies.Of(config, rotaryDimensions);
    private readonly ConcurrentDictionary<(long Tokens, ScalarType Dtype, string Device), (Tensor Cos, Tensor Sin)> _tables = new();

    /// <summary>Turns each pair of features by its position's angle.</summary>
    /// <param name="x">[B, heads, T, D], rotated at positions 0 .. T - 1.</param>
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
