using MathNet.Numerics.Distributions;

namespace LlmStageAudit.Probing.Statistics;

/// <summary>
/// The mean of independent values, as Student (1908) has it:
/// <code>
/// mean +- t_{n-1, 97.5%} s / sqrt(n),   p = P(|T_{n-1}| &gt;= |mean| sqrt(n) / s)
/// </code>
/// Values that do not differ say nothing of how far others would: then there is no interval (NaN) and p is 1.
/// </summary>
/// <param name="Mean">Of the values.</param>
/// <param name="HalfWidth">Of the 95% interval; NaN where there is none.</param>
/// <param name="Variance">s^2, with n - 1.</param>
/// <param name="PValue">Two-sided, of a mean of 0.</param>
public readonly record struct StudentInterval(double Mean, double HalfWidth, double Variance, double PValue)
{
    private const double Tail = 0.025;

    /// <summary>Of at least two values.</summary>
    public static StudentInterval Of(IReadOnlyList<double> values)
    {
        var mean = values.Average();
        var variance = values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1);
        if (!(variance > 0)) return new StudentInterval(mean, double.NaN, 0, 1);
        var (error, freedom) = (Math.Sqrt(variance / values.Count), values.Count - 1);
        return new StudentInterval(
            mean,
            StudentT.InvCDF(0, 1, freedom, 1 - Tail) * error,
            variance,
            2 * StudentT.CDF(0, 1, freedom, -Math.Abs(mean) / error));
    }
}
