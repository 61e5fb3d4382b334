using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Reporting.Findings;

/// <summary>The effects of one estimate that share a grade and what it rests on: one stage, or all scores of a sweep.</summary>
/// <param name="Evidence">Null in files written before effects were graded.</param>
/// <param name="Effects">At least one.</param>
internal sealed record TrustGroup(string Grade, TrustEvidence? Evidence, IReadOnlyList<StageFinding> Effects);
