namespace LlmStageAudit.Modeling.Models;

/// <summary>What a loaded model holds in memory.</summary>
/// <param name="FrozenBytes">Weights that do not train, in the dtype the base computes in.</param>
/// <param name="TrainableCount">N, the trainable parameters.</param>
public readonly record struct ModelFootprint(long FrozenBytes, long TrainableCount);
