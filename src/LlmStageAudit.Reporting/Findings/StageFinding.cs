using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Verifications;
using LlmStageAudit.Reporting.Charts;

namespace LlmStageAudit.Reporting.Findings;

/// <summary>A stage's (or step's, or example's) estimate beside what retraining said about it.</summary>
internal sealed record StageFinding(StageEffect Effect, VerifiedStage? Verified)
{
    /// <summary>What was left out: a stage, steps, or an example and the stage it was in.</summary>
    public string Label => Effect.Example is { } example ? $"example {example} of {Effect.Stage}" : Effect.Stage;

    public bool HasInterval => Effect.Low is not null || Effect.High is not null;

    /// <summary>Whether the interval lies on one side of zero.</summary>
    public bool IsDistinguishable => double.IsFinite(Effect.Estimate) && (Effect.Low > 0 || Effect.High < 0);

    public bool IsVerified => Verified is not null || Effect.Trust == TrustText.Verified;

    /// <summary>An estimate of low trust stays one where the stage was retrained: then the measured value counts, not the bar.</summary>
    public BarFill Fill => TrustText.IsLow(Effect.Trust) ? BarFill.Hollow : IsVerified ? BarFill.Solid : BarFill.Hatched;

    /// <summary>The grade in a few words, to stand beside a bar.</summary>
    public string Standing => (Fill, Effect.Trust) switch
    {
        (BarFill.Solid, _) => TrustText.Verified,
        (BarFill.Hollow, TrustText.Unchecked) => TrustText.Unchecked,
        (BarFill.Hollow, _) => "low trust" + (Verified is null ? string.Empty : ", retrained"),
        (_, TrustText.High or TrustText.Medium) => Effect.Trust + " trust, not verified",
        _ => "not verified",
    };

    /// <summary>For orders in which what could not be computed comes last.</summary>
    public double Size => double.IsFinite(Effect.Estimate) ? Math.Abs(Effect.Estimate) : -1;
}
