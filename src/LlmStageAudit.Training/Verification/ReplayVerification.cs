using LlmStageAudit.Seals.Verification;

namespace LlmStageAudit.Training.Verification;

/// <summary>What executing a run again in part found.</summary>
/// <param name="Replayed">Steps whose gradient was computed again.</param>
/// <param name="WorstGradientError">
/// The largest ||recomputed - logged|| / ||recomputed|| of a gradient; null where none was computed.
/// </param>
/// <param name="GradientTolerance">
/// The largest such error that passes for rounding: more where another engine computes through a base in bfloat16.
/// </param>
/// <param name="StatesReplayed">Stages whose end was made again from their start and their logged gradients.</param>
/// <param name="WorstStateError">The largest ||replayed - saved|| / ||saved - start|| of a stage's end; null where none was made.</param>
/// <param name="Findings">Empty: the log, the states and the data fit each other.</param>
public sealed record ReplayVerification(
    int Replayed,
    double? WorstGradientError,
    double GradientTolerance,
    int StatesReplayed,
    double? WorstStateError,
    IReadOnlyList<RunFinding> Findings);
