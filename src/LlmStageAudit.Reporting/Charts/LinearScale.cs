namespace LlmStageAudit.Reporting.Charts;

/// <summary>Values to coordinates: <c>at(v) = start + (v - low) / (high - low) * (end - start)</c>.</summary>
internal sealed class LinearScale
{
    public LinearScale(double low, double high, double start, double end)
    {
        (Low, High) = Widen(low, high);
        Start = start;
        End = end;
    }

    public double Low { get; }

    public double High { get; }

    public double Start { get; }

    public double End { get; }

    /// <summary>The scale of all finite values, with a share of their span added at both ends.</summary>
    public static LinearScale Over(IEnumerable<double> values, double start, double end, double marginShare)
    {
        var low = double.PositiveInfinity;
        var high = double.NegativeInfinity;
        foreach (var value in values)
        {
            if (!double.IsFinite(value)) continue;
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }

        if (low > high) return new LinearScale(0, 1, start, end);
        var margin = (high - low) * marginShare;
        return double.IsFinite(margin) ? new LinearScale(low - margin, high + margin, start, end) : new LinearScale(low, high, start, end);
    }

    /// <summary>The coordinate of a finite value; values beyond the ends lie at the ends.</summary>
    public double At(double value)
    {
        // Halved, so that a span near the largest double does not overflow.
        var share = ((value / 2) - (Low / 2)) / ((High / 2) - (Low / 2));
        return Start + (Math.Clamp(share, 0, 1) * (End - Start));
    }

    /// <summary>Round values within the scale, 1, 2 or 5 times a power of ten apart, about <paramref name="count"/> of them.</summary>
    public IReadOnlyList<double> Ticks(int count)
    {
        var raw = ((High / 2) - (Low / 2)) / count * 2;
        var power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        if (!double.IsFinite(raw) || power is 0 || !double.IsFinite(power)) return [Low, High];
        var step = power * ((raw / power) switch { < 1.5 => 1, < 3.5 => 2, < 7.5 => 5, _ => 10 });
        var ticks = new List<double>();
        var first = Math.Ceiling(Low / step);
        for (var index = 0; index <= 2 * count && (first + index) * step <= High * (1 + 1e-12 * Math.Sign(High)); index++)
        {
            ticks.Add((first + index) * step);
        }

        return ticks;
    }

    private static (double Low, double High) Widen(double low, double high)
    {
        if (high - low > Math.Max(Math.Abs(low), Math.Abs(high)) * 1e-12) return (low, high);
        var margin = low == 0 ? 1 : Math.Abs(low) / 10;
        return margin > 0 && double.IsFinite(high + margin) && double.IsFinite(low - margin) ? (low - margin, high + margin) : (0, 1);
    }
}
