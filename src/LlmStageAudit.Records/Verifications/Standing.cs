using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Records.Verifications;

/// <summary>What stands of an effect once retrainings are taken in.</summary>
/// <param name="Trust">
/// The effect's own grade. Where this very result was held against a retraining, what that showed: exact or verified within what high
/// promises, else medium or low.
/// </param>
/// <param name="Retrained">What retraining measured of the same question, by whatever estimate it was planned; null: nothing.</param>
/// <param name="VerifiedWith">What this very result was held against a retraining with; null where it was not.</param>
public sealed record Standing(TrustGrade Trust, VerifiedStage? Retrained, VerifiedWith? VerifiedWith)
{
    /// <summary>How an effect stands by the verifications of its run.</summary>
    /// <param name="effects">The file it is in.</param>
    /// <param name="effect">One of its effects.</param>
    /// <param name="verifications">The first one that fits counts.</param>
    public static Standing Of(EffectsArtifact effects, StageEffect effect, IReadOnlyList<VerificationArtifact> verifications)
    {
        // A retraining leaves out whole stages: it says nothing about an example that was in one.
        if (effect.Example is not null) return new(effect.Trust, null, null);
        var (identity, estimator) = (effects.Identity, effect.Estimator ?? effects.Estimator);
        VerifiedStage? retrained = null;
        foreach (var verification in verifications.Where(one => one.Predictions?.AsksTheSame(identity) == true))
        {
            if (verification.Stages.FirstOrDefault(stage => stage.Stage == effect.Stage) is not { } stage) continue;
            retrained ??= stage;
            if (estimator is null || verification.Predictions != identity || stage.EstimatorOf(verification) != estimator) continue;
            var basis = new VerifiedWith(
                estimator, effects.Treatment, effects.Metric, effects.RunId, stage.Examples, stage.Pearson, stage.RelativeError);
            return new(Measured(effect.Trust, stage.RelativeError), stage, basis);
        }

        return new(effect.Trust, retrained, null);
    }

    private static TrustGrade Measured(TrustGrade own, double error) => TrustPromise.Of(error) switch
    {
        TrustGrade.High => own == TrustGrade.Exact ? own : TrustGrade.Verified,
        var further => further,
    };
}

/// <summary>With what a result was held against a retraining, and how well it agreed.</summary>
/// <param name="Estimator">That predicted.</param>
/// <param name="Treatment">What was left out.</param>
/// <param name="Metric">The performance function.</param>
/// <param name="RunId">The run.</param>
/// <param name="Examples">Probe rows compared.</param>
/// <param name="Pearson">Over probe rows.</param>
/// <param name="RelativeError">Over probe rows.</param>
public sealed record VerifiedWith(
    Estimator Estimator, Treatment Treatment, string Metric, string RunId, int Examples, double Pearson, double RelativeError);
