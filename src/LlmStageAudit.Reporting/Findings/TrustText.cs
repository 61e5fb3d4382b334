namespace LlmStageAudit.Reporting.Findings;

/// <summary>The grades of trust as effects files spell them. The page explains grades that others gave; it grades nothing.</summary>
internal static class TrustText
{
    public const string Verified = "verified";
    public const string High = "high";
    public const string Medium = "medium";
    public const string Low = "low";

    /// <summary>What files written before effects were graded say.</summary>
    public const string Unchecked = "unchecked";

    /// <summary>What a bar of that fill says, for legends.</summary>
    public static string InWords(this BarFill fill) => fill switch
    {
        BarFill.Solid => Verified,
        BarFill.Hollow => "low trust",
        _ => "not verified",
    };
}
