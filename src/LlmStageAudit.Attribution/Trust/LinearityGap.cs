namespace LlmStageAudit.Attribution.Trust;

/// <summary>||finite - linear|| / ||finite|| of the effects on probe examples.</summary>
public static class LinearityGap
{
    /// <summary>Examples looked at where the linear effects are not computed anyway: the gap is a check, not a result.</summary>
    private const int SampleSize = 64;

    /// <summary>Examples spread evenly over a probe.</summary>
    public static int[] Sample(int examples)
    {
        var size = Math.Min(SampleSize, examples);
        return [.. Enumerable.Range(0, size).Select(i => (int)((long)i * examples / size))];
    }

    /// <summary>0 where nothing moved.</summary>
    public static double Of(IReadOnlyList<double> finite, IReadOnlyList<double> linear)
    {
        var difference = Math.Sqrt(finite.Zip(linear, (one, other) => (one - other) * (one - other)).Sum());
        return DriftTally.Ratio(difference, Math.Sqrt(finite.Sum(value => value * value)));
    }
}
