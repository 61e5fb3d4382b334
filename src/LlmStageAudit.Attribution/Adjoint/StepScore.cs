namespace LlmStageAudit.Attribution.Adjoint;

/// <summary>What one step did to a probe, to first order. Positive: it raised gamma.</summary>
/// <param name="StageIndex">The stage's place in the run.</param>
/// <param name="StageStep">1-based within the stage.</param>
/// <param name="Effect">Of the update as a whole: lambda_t . (s_t - s_{t-1}), against skipping the step.</param>
/// <param name="BatchEffect">Of the batch's gradient: q_t . g_t, against a step with gradient 0, momentum and decay going on.</param>
/// <param name="ExampleEffects">Each example's part of the batch effect, in batch order; null where not asked for.</param>
public sealed record StepScore(int StageIndex, int StageStep, double Effect, double BatchEffect, IReadOnlyList<double>? ExampleEffects);
