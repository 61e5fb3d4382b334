namespace LlmStageAudit.Modeling.Tests.Derivations;

/// <summary>The pieces of a decoder written out over arrays of doubles, without the engine.</summary>
internal static class PlainMath
{
    /// <summary>W v (+ b) for W [out, in], row-major.</summary>
    public static double[] Linear(double[] weight, double[] vector, double[]? bias = null)
    {
        var result = new double[weight.Length / vector.Length];
        for (var o = 0; o < result.Length; o++)
        {
            result[o] = bias?[o] ?? 0;
            for (var i = 0; i < vector.Length; i++) result[o] += weight[(o * vector.Length) + i] * vector[i];
        }

        return result;
    }

    public static double[] Add(double[] left, double[] right) => [.. left.Zip(right, (l, r) => l + r)];

    /// <summary>Divided by the root of the mean square, times weight plus offset.</summary>
    public static double[] RmsNorm(double[] vector, double[] weight, double epsilon, double offset)
    {
        var root = Math.Sqrt((vector.Sum(v => v * v) / vector.Length) + epsilon);
        return [.. vector.Zip(weight, (v, w) => v / root * (w + offset))];
    }

    public static double[] LayerNorm(double[] vector, double[] weight, double[] bias, double epsilon)
    {
        var mean = vector.Average();
        var deviation = Math.Sqrt(vector.Average(v => (v - mean) * (v - mean)) + epsilon);
        return [.. vector.Select((v, i) => ((v - mean) / deviation * weight[i]) + bias[i])];
    }

    /// <summary>One head's part of a vector.</summary>
    public static double[] Head(double[] vector, int head, int headSize) => vector[(head * headSize)..((head + 1) * headSize)];

    /// <summary>The first 2 n dimensions turned in the planes (i, i + n) by position times frequency.</summary>
    public static double[] Rotate(double[] head, double[] frequencies, int position)
    {
        var turned = head.ToArray();
        var half = frequencies.Length;
        for (var i = 0; i < half; i++)
        {
            var (sin, cos) = Math.SinCos(position * frequencies[i]);
            turned[i] = (head[i] * cos) - (head[i + half] * sin);
            turned[i + half] = (head[i + half] * cos) + (head[i] * sin);
        }

        return turned;
    }

    /// <summary>What query t of one head gathers: keys and values are those of its head, at positions 0 to t at least.</summary>
    public static double[] Attend(double[] query, double[][] keys, double[][] values, int t, int? window, double scale, double? cap)
    {
        var first = window is { } width ? Math.Max(0, t - width + 1) : 0;
        var weights = new double[t + 1];
        for (var s = first; s <= t; s++)
        {
            var score = query.Zip(keys[s], (q, k) => q * k).Sum() * scale;
            weights[s] = Math.Exp(cap is { } bound ? bound * Math.Tanh(score / bound) : score);
        }

        var total = weights.Sum();
        double Gathered(int d) => Enumerable.Range(first, t + 1 - first).Sum(s => weights[s] / total * values[s][d]);
        return [.. Enumerable.Range(0, query.Length).Select(Gathered)];
    }

    public static double Silu(double x) => x / (1 + Math.Exp(-x));

    public static double GeluTanh(double x) => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))));

    public static double Gelu(double x) => 0.5 * x * (1 + Erf(x / Math.Sqrt(2)));

    /// <summary>2/sqrt(pi) exp(-x^2) sum over n of 2^n x^(2n+1) / (2n+1)!!, whose terms all have one sign.</summary>
    public static double Erf(double x)
    {
        if (Math.Abs(x) > 6) return Math.Sign(x);
        var (sum, term) = (0.0, x);
        for (var n = 0; n < 400; n++)
        {
            sum += term;
            term *= 2 * x * x / ((2 * n) + 3);
        }

        return 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x) * sum;
    }

    /// <summary>base^(-2i/R) as angles per token.</summary>
    public static double[] Frequencies(double theta, int dimensions) =>
        [.. Enumerable.Range(0, dimensions / 2).Select(i => Math.Exp(-2.0 * i / dimensions * Math.Log(theta)))];

    /// <summary>Llama 3.1's rule by wavelengths: short ones kept, long ones stretched by the factor, those between mixed.</summary>
    public static double[] Llama3(double[] frequencies, double factor, double low, double high, double context)
    {
        var result = frequencies.ToArray();
        for (var i = 0; i < result.Length; i++)
        {
            var wavelength = 2 * Math.PI / frequencies[i];
            if (wavelength < context / high) continue;
            if (wavelength > context / low)
            {
                result[i] = frequencies[i] / factor;
                continue;
            }

            var smooth = ((context / wavelength) - low) / (high - low);
            result[i] = ((1 - smooth) * frequencies[i] / factor) + (smooth * frequencies[i]);
        }

        return result;
    }
}
