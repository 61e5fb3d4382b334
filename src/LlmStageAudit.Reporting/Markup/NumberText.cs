using System.Globalization;

namespace LlmStageAudit.Reporting.Markup;

/// <summary>Numbers as a reader wants them: four significant digits, a true minus sign, the same under every culture.</summary>
internal static class NumberText
{
    private const int SignificantDigits = 4;

    /// <summary>As 0.1235, 12.35 or 1.235 × 10⁻⁵; what is no number as NaN. Powers of ten are kept on one line.</summary>
    public static string Value(double value, int digits = SignificantDigits)
    {
        if (double.IsNaN(value)) return "NaN";
        if (double.IsInfinity(value)) return value > 0 ? "∞" : "−∞";
        if (value == 0) return "0";

        // Rounded first: the exponent that counts is the one after rounding (9.99996 is 10.00).
        var rounded = Split(value.ToString($"E{digits - 1}", CultureInfo.InvariantCulture));
        return rounded.Exponent is < -4 or > 6 ? Power(rounded) : Fixed(value, Math.Max(0, digits - 1 - rounded.Exponent));
    }

    /// <summary>A value with its sign, also where that is plus.</summary>
    public static string Signed(double value, int digits = SignificantDigits) =>
        value > 0 ? "+" + Value(value, digits) : Value(value, digits);

    /// <summary>A setting as it was written, such as 0.0001 or 0.9: every digit that it has and none more.</summary>
    public static string Setting(double value)
    {
        if (!double.IsFinite(value) || value == 0) return Value(value);
        if (Math.Abs(value) is >= 0.001 and < 1e6) return WithMinus(value.ToString("0.############", CultureInfo.InvariantCulture));
        return Power(Split(value.ToString("0.######E0", CultureInfo.InvariantCulture)));
    }

    /// <summary>Both ends with the same number of decimals, as many as the larger one needs; a dash where there is no interval.</summary>
    public static string Interval(double? lowEnd, double? highEnd)
    {
        if (lowEnd is null && highEnd is null) return "–";
        var (low, high) = (lowEnd ?? double.NaN, highEnd ?? double.NaN);
        var size = Math.Max(Math.Abs(low), Math.Abs(high));
        if (size is not (>= 0.001 and < 1e6)) return $"{Value(low)} to {Value(high)}";
        var decimals = Math.Clamp(SignificantDigits - 1 - (int)Math.Floor(Math.Log10(size)), 0, 6);
        return $"{Fixed(low, decimals)} to {Fixed(high, decimals)}";
    }

    /// <summary>A share in percent, to a few digits; a dash where there is none.</summary>
    public static string Share(double? share) => share is { } value ? Value(value * 100, 3) + " %" : "–";

    public static string Count(long count) => WithMinus(count.ToString("N0", CultureInfo.InvariantCulture));

    /// <summary>"1 step", "12 steps".</summary>
    public static string Count(long count, string noun) => $"{Count(count)} {noun}{(count == 1 ? string.Empty : "s")}";

    public static string Probability(double probability) => probability is >= 0 and < 0.0001 ? "< 0.0001" : Value(probability, 2);

    public static string Percent(double share) => Setting(Math.Round(share * 100, 4)) + " %";

    public static string Duration(double seconds)
    {
        if (!double.IsFinite(seconds) || seconds < 0) return Value(seconds) + " s";
        if (seconds < 60) return Value(seconds, 3) + " s";
        if (seconds >= 1e9) return Value(seconds / 3600) + " h";
        var whole = (long)Math.Round(seconds);
        return whole < 3600
            ? $"{Count(whole / 60)} min {Count(whole % 60)} s"
            : $"{Count(whole / 3600)} h {Count(whole % 3600 / 60)} min";
    }

    public static string Size(long bytes)
    {
        string[] units = ["KiB", "MiB", "GiB", "TiB"];
        if (bytes < 1024) return Count(bytes, "byte");
        var size = bytes / 1024.0;
        var unit = 0;
        for (; size >= 1024 && unit < units.Length - 1; unit++) size /= 1024;
        return Value(size, 3) + " " + units[unit];
    }

    public static string Instant(DateTime time)
    {
        var utc = time.Kind == DateTimeKind.Local ? time.ToUniversalTime() : time;
        return utc.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";
    }

    /// <summary>A coordinate or length of a drawing, to a hundredth.</summary>
    public static string Coordinate(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private static string WithMinus(string number) => number.Replace('-', '−');

    private static string Fixed(double value, int decimals) => WithMinus(value.ToString($"N{decimals}", CultureInfo.InvariantCulture));

    private static (string Mantissa, int Exponent) Split(string number)
    {
        var split = number.IndexOf('E');
        var exponent = int.Parse(number.AsSpan(split + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return (number[..split], exponent);
    }

    private static string Power((string Mantissa, int Exponent) number)
    {
        var digits = number.Exponent.ToString(CultureInfo.InvariantCulture).Select(digit => digit == '-' ? '⁻' : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit - '0']);
        return $"{WithMinus(number.Mantissa)}\u00A0×\u00A010{string.Concat(digits)}";
    }
}
