namespace LlmStageAudit.Attribution.Adjoint;

/// <summary>What one backward sweep says about one probe.</summary>
/// <param name="Steps">Every step of the run, from the first.</param>
/// <param name="Blocks">The score of any set of consecutive steps; null where not asked for.</param>
/// <param name="StageEffects">Per stage the block score of all its steps.</param>
public sealed record SweepResult(IReadOnlyList<StepScore> Steps, IReadOnlyList<double> StageEffects, BlockTable? Blocks);
