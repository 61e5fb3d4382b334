namespace LlmStageAudit.Reporting.Charts;

/// <summary>Values to coordinates: <c>at(v) = start + (v - low) / (high - low) * (end - start)</c>.</summary>
internal sealed class LinearScale(double low, double high, double start, double end)
{
    public double Low { get; } = Widen(low, high).Low;

    public double High { get; } = Widen(low, high).High;

    public double Start => start;

    public double End => end;

    /// <summary>The scale of all finite values, with a share of their span added at both ends.</summary>
    public static LinearScale Over(IEnumerable<double> values, double start, double end, double marginShare)
    {
        var finite = values.Where(double.IsFinite).ToArray();
        if (finite.Length == 0) return new LinearScale(0, 1, start, end);
        var (low, high) = (finite.Min(), finite.Max());
        var margin = (high - low) * marginShare;
        if (!double.IsFinite(margin)) margin = 0;
        return new LinearScale(low - margin, high + margin, start, end);
    }

    /// <summary>The coordinate of a finite value; values beyond the ends lie at the ends.</summary>
    public double At(double value)
    {
        // Halved, so that a span near the largest double does not overflow.
        var share = ((value / 2) - (Low / 2)) / ((High / 2) - (Low / 2));
        return start + (Math.Clamp(share, 0, 1) * (end - start));
    }

    /// <summary>Round values within the scale, 1, 2 or 5 times a power of ten apart, about so many of them.</summary>
    public IReadOnlyList<double> Ticks(int count)
    {
        var raw = ((High / 2) - (Low / 2)) / count * 2;
        var power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        if (!double.IsFinite(raw) || power is 0 || !double.IsFinite(power)) return [Low, High];
        var step = power * ((raw / power) switch { < 1.5 => 1, < 3.5 => 2, < 7.5 => 5, _ => 10 });
        var first = Math.Ceiling(Low / step);
        var last = High * (1 + (1e-12 * Math.Sign(High)));
        return [.. Enumerable.Range(0, (2 * count) + 1).Select(index => (first + index) * step).TakeWhile(tick => tick <= last)];
    }

    private static (double Low, double High) Widen(double low, double high)
    {
        if (high - low > Math.Max(Math.Abs(low), Math.Abs(high)) * 1e-12) return (low, high);
        var margin = low == 0 ? 1 : Math.Abs(low) / 10;
        return margin > 0 && double.IsFinite(high + margin) && double.IsFinite(low - margin) ? (low - margin, high + margin) : (0, 1);
    }
}
