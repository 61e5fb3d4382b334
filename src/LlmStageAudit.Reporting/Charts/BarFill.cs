namespace LlmStageAudit.Reporting.Charts;

/// <summary>How a bar's inside says whether its effect is to be relied on, whatever its colour.</summary>
internal enum BarFill
{
    /// <summary>Retrained, or exact replay.</summary>
    Solid,

    /// <summary>Estimated with high or medium trust.</summary>
    Hatched,

    /// <summary>Of low trust, or never checked: an outline in dashes.</summary>
    Hollow,
}
