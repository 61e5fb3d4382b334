namespace LlmStageAudit.Reporting.Charts;

/// <summary>One bar of a <see cref="StepEffectChart"/>: the effect of a step, observed minus counterfactual.</summary>
/// <param name="Step">From 1, through the run.</param>
internal sealed record StepBar(int Step, double Estimate, BarFill Fill);
