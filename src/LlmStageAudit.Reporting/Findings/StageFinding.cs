using LlmStageAudit.Artifacts.Effects;
using LlmStageAudit.Artifacts.Verifications;

namespace LlmStageAudit.Reporting.Findings;

/// <summary>A stage's estimate beside what retraining said about it.</summary>
internal sealed record StageFinding(StageEffect Effect, VerifiedStage? Verified)
{
    /// <summary>Whether the interval lies on one side of zero.</summary>
    public bool IsDistinguishable => double.IsFinite(Effect.Estimate) && (Effect.Low > 0 || Effect.High < 0);

    public bool IsVerified => Verified is not null || Effect.Trust == "verified";

    /// <summary>For orders in which what could not be computed comes last.</summary>
    public double Size => double.IsFinite(Effect.Estimate) ? Math.Abs(Effect.Estimate) : -1;
}
