namespace LlmStageAudit.Reporting.Charts;

/// <summary>The steps of one stage on a <see cref="LossChart"/>, both ends included.</summary>
public sealed record LossBand(string Stage, int FirstStep, int LastStep);
