using System.Text.Json.Nodes;

namespace LlmStageAudit.Records.Effects;

/// <summary>How far an effect is to be relied on for this run, from the most to the least.</summary>
public enum TrustGrade
{
    /// <summary>Exact replay, which is retraining to the bit; also where no step is left to estimate.</summary>
    Exact,

    /// <summary>An estimate that was held against a retraining under the same estimator, treatment, metric and run, and agrees.</summary>
    Verified,

    /// <summary>Checks foretell an error of a few percent at most.</summary>
    High,

    /// <summary>Checks foretell an error of up to a quarter.</summary>
    Medium,

    /// <summary>Checks foretell more than that.</summary>
    Low,

    /// <summary>Nothing checked it, or too little to say.</summary>
    Unknown,
}

/// <summary>What grades promise of the relative error of an effect over probe rows, ||estimated - retrained|| / ||retrained||.</summary>
public static class TrustPromise
{
    /// <summary>The largest error of the grade high.</summary>
    public const double HighUpTo = 0.05;

    /// <summary>The largest error of the grade medium.</summary>
    public const double MediumUpTo = 0.25;

    /// <summary>The grade that promises so much; low where it is not a number.</summary>
    public static TrustGrade Of(double error) => error switch
    {
        <= HighUpTo => TrustGrade.High,
        <= MediumUpTo => TrustGrade.Medium,
        _ => TrustGrade.Low,
    };
}

/// <summary>Grades in files of older schemas.</summary>
internal static class OlderGrades
{
    /// <summary>
    /// What was called verified was exact replay; high and medium stood on another calibration, which did not hold.
    /// </summary>
    public static void Upgrade(JsonNode? graded)
    {
        if ((string?)graded?["trust"] is not { } old) return;
        graded["trust"] = old switch
        {
            "verified" => "exact",
            "low" => "low",
            _ => "unknown",
        };
    }
}
