namespace LlmStageAudit.Reporting.Charts;

/// <summary>One group of a <see cref="GroupHeatMap"/>.</summary>
/// <param name="Examples">Rows in the group.</param>
/// <param name="Positives">Of them with the positive label; null where not counted.</param>
/// <param name="Cells">One per column.</param>
internal sealed record HeatRow(string Group, long Examples, long? Positives, IReadOnlyList<HeatCell> Cells);
