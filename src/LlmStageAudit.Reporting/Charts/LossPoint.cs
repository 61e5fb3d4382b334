namespace LlmStageAudit.Reporting.Charts;

/// <summary>One optimizer step on a <see cref="LossChart"/>.</summary>
internal sealed record LossPoint(int Step, double LossNats, double LearningRate);
