namespace LlmStageAudit.Reporting.Charts;

/// <summary>The steps of one stage on a chart over steps, both ends included.</summary>
internal sealed record StageBand(string Stage, int FirstStep, int LastStep);
