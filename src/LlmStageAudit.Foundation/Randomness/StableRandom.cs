using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace LlmStageAudit.Foundation.Randomness;

/// <summary>
/// Random numbers that are a pure function of a key and stay the same on every platform and runtime version.
/// xoshiro256** (Blackman, Vigna 2018), its state filled from SHA-256 of the key's parts.
/// </summary>
public sealed class StableRandom
{
    private ulong _s0, _s1, _s2, _s3;
    private double _spareNormal = double.NaN;

    private StableRandom(ReadOnlySpan<ulong> seed) => (_s0, _s1, _s2, _s3) = (seed[0], seed[1], seed[2], seed[3]);

    /// <summary>
    /// The stream that belongs to a key such as (seed, "order", stage, epoch). Parts are kept apart: ("ab", "c") differs from ("a", "bc").
    /// </summary>
    public static StableRandom For(long seed, params ReadOnlySpan<string> parts)
    {
        var key = new StringBuilder(seed.ToString(CultureInfo.InvariantCulture));
        foreach (var part in parts) key.Append('\0').Append(part.Length).Append(':').Append(part);
        return new StableRandom(MemoryMarshal.Cast<byte, ulong>(SHA256.HashData(Encoding.UTF8.GetBytes(key.ToString()))));
    }

    /// <summary>The next 64 bits of the stream: uniform over all values.</summary>
    public ulong NextUInt64()
    {
        var result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        var t = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= t;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [0, bound), without bias (Lemire 2019).</summary>
    public int Next(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        var range = (ulong)bound;
        var high = Math.BigMul(NextUInt64(), range, out var low);
        if (low < range)
        {
            var threshold = (0UL - range) % range;
            while (low < threshold) high = Math.BigMul(NextUInt64(), range, out low);
        }

        return (int)high;
    }

    /// <summary>Standard normal, by the polar method.</summary>
    public double NextNormal()
    {
        if (!double.IsNaN(_spareNormal))
        {
            var spare = _spareNormal;
            _spareNormal = double.NaN;
            return spare;
        }

        double u, v, s;
        do
        {
            u = (2 * NextDouble()) - 1;
            v = (2 * NextDouble()) - 1;
            s = (u * u) + (v * v);
        }
        while (s >= 1 || s == 0);

        var scale = Math.Sqrt(-2 * Math.Log(s) / s);
        _spareNormal = v * scale;
        return u * scale;
    }

    /// <summary>Fisher-Yates, in place.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
