using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Benchmarks.Trust;

/// <summary>What was said of an estimate's error, and what it is.</summary>
/// <param name="Source">The estimator.</param>
/// <param name="Question">What was left out: stage, steps or every step.</param>
/// <param name="MovingSteps">Steps that move parameters after it.</param>
/// <param name="Checks">Of these, checked.</param>
/// <param name="Grade">Of trust.</param>
/// <param name="PredictedError">As checks foretell it, without a margin; null where nothing was checked.</param>
/// <param name="TrueError">||estimated - retrained|| / ||retrained|| over probe examples, or over steps for step scores.</param>
internal sealed record CheckedEffect(
    CalibrationSetting Setting,
    string Source,
    string Question,
    int MovingSteps,
    int Checks,
    TrustGrade Grade,
    double? PredictedError,
    double TrueError);
