namespace LlmStageAudit.Attribution.Trust;

/// <summary>
/// The grades and where they begin. The predicted error is the relative error of the effects over probe examples that the
/// checks foretell, with a margin where a few draws or steps stand for many. What a grade promises is that the true error stays within its
/// threshold; how often that holds against retraining is what the calibration benchmark counts:
/// <code>
/// verified  retrained, or exact replay, which is the same bits
/// high      predicted error up to 0.05
/// medium    up to 0.25
/// low       above, or nothing checked it
/// </code>
/// </summary>
public static class TrustGrade
{
    /// <summary>Retrained, or exact replay.</summary>
    public const string Verified = "verified";

    /// <summary>A predicted error up to <see cref="HighUpTo"/>.</summary>
    public const string High = "high";

    /// <summary>A predicted error up to <see cref="MediumUpTo"/>.</summary>
    public const string Medium = "medium";

    /// <summary>Above, or nothing checked it.</summary>
    public const string Low = "low";

    /// <summary>The largest relative error of the grade high.</summary>
    public const double HighUpTo = 0.05;

    /// <summary>The largest relative error of the grade medium.</summary>
    public const double MediumUpTo = 0.25;

    /// <summary>The grade of an estimate by its predicted relative error.</summary>
    public static string Of(double predictedError) => predictedError switch
    {
        <= HighUpTo => High,
        <= MediumUpTo => Medium,
        _ => Low,
    };
}
