namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>How one estimator's effects agree with the measured ones over the probe's digits, for one column and one seed.</summary>
internal sealed record Agreement(string Estimator, string Column, double Pearson, double RelativeError);
