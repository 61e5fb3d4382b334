namespace LlmStageAudit.Reporting.Charts;

/// <summary>A metric of one group; NaN where the rows do not define it, null where it was not computed.</summary>
/// <param name="Observed">Of the model as trained.</param>
/// <param name="Counterfactual">Of the model without a stage.</param>
internal sealed record HeatCell(double? Observed, double? Counterfactual);
