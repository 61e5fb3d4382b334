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
    public const string Verified = "verified";
    public const string High = "high";
    public const string Medium = "medium";
    public const string Low = "low";

    public const double HighUpTo = 0.05;
    public const double MediumUpTo = 0.25;

    public static string Of(double predictedError) => predictedError switch
    {
        <= HighUpTo => High,
        <= MediumUpTo => Medium,
        _ => Low,
    };
}
