namespace LlmStageAudit.Attribution.Screening;

/// <summary>A question as the screen answers it.</summary>
/// <param name="Name">The question's.</param>
/// <param name="ExactCost">Of its exact replay, in gradients.</param>
/// <param name="Score">The estimated effect on the measure.</param>
/// <param name="Draws">The same in bootstrap draws over probe examples; null where the screen gives a mean over the probe alone.</param>
public sealed record ScreenedCandidate(string Name, double ExactCost, double Score, IReadOnlyList<double>? Draws = null);

/// <summary>A candidate's effect by exact replay.</summary>
/// <param name="Value">The effect on the measure.</param>
/// <param name="Draws">In bootstrap draws over probe examples, the same draws for every candidate.</param>
public sealed record SettledEffect(double Value, IReadOnlyList<double> Draws);
