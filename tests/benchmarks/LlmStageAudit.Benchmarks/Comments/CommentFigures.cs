using LlmStageAudit.Records.Comparisons;

namespace LlmStageAudit.Benchmarks.Comments;

/// <summary>One run's comparison.</summary>
/// <param name="Optimizer">As tables name it.</param>
/// <param name="TrainingSeconds">What training the run took.</param>
/// <param name="Estimators">Exact replay first.</param>
internal sealed record CommentFigures(string Optimizer, long Seed, double TrainingSeconds, IReadOnlyList<ComparedEstimator> Estimators);
