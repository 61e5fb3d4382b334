namespace LlmStageAudit.Modeling.Objectives;

/// <summary>
/// Names the random numbers of one training step (dropout masks): whoever computes that step's gradient again, with other
/// parameters or in other micro-batches, draws the same ones.
/// </summary>
/// <param name="Seed">The run's.</param>
/// <param name="Stage">The stage's name.</param>
/// <param name="StageStep">1-based within the stage.</param>
public readonly record struct StepNoise(long Seed, string Stage, int StageStep);
