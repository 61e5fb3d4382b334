namespace LlmStageAudit.Benchmarks.Trust;

/// <summary>What was said of an estimate's error, and what it is.</summary>
/// <param name="Source">The estimator.</param>
/// <param name="Question">What was left out.</param>
/// <param name="Grade">Of trust.</param>
/// <param name="PredictedError">By spot checks, and of taking the probe as linear where the estimator does.</param>
/// <param name="TrueError">||estimated - retrained|| / ||retrained|| over probe examples, or over steps for step scores.</param>
/// <param name="Pearson">Over the same.</param>
internal sealed record CheckedEffect(
    CalibrationSetting Setting, string Source, string Question, string Grade, double PredictedError, double TrueError, double Pearson);
