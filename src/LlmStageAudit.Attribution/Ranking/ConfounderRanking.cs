using LlmStageAudit.Artifacts.Effects;
using LlmStageAudit.Artifacts.Rankings;
using LlmStageAudit.Auditing.Probes;
using LlmStageAudit.Auditing.Statistics;

namespace LlmStageAudit.Attribution.Ranking;

/// <summary>
/// Orders stages by how much each raised the model's reliance on a confounder: gap(observed) - gap(without the stage), highest
/// first. Significance controls the false discovery rate over the stages at 5%.
/// </summary>
public static class ConfounderRanking
{
    private const double FalseDiscoveryRate = 0.05;

    /// <param name="effects">Made with this probe; its scores, observed and counterfactual, are all that is used.</param>
    /// <param name="confounder">One of the probe's groups.</param>
    /// <param name="effectsPath">Where they are filed.</param>
    public static RankingArtifact Rank(EffectsArtifact effects, Probe probe, string confounder, string effectsPath)
    {
        var gap = ConfounderGap.Of(probe, confounder);
        var results = effects.Effects.Select(effect => (Effect: effect, Result: gap.Effect(effects.Observed, effect.Counterfactual!, effect.Stage))).ToArray();
        var adjusted = FalseDiscovery.Adjust([.. results.Select(result => result.Result.PValue)]);
        var observedGap = gap.Evaluate(effects.Observed);
        var ranking = results.Select((result, i) => new RankedStage
        {
            Stage = result.Effect.Stage,
            Score = result.Result.Estimate,
            Low = result.Result.Low,
            High = result.Result.High,
            PValue = result.Result.PValue,
            AdjustedPValue = adjusted[i],
            Significant = adjusted[i] <= FalseDiscoveryRate,
            ObservedGap = observedGap,
            CounterfactualGap = gap.Evaluate(result.Effect.Counterfactual!),
        });
        return new RankingArtifact
        {
            RunId = effects.RunId,
            Run = effects.Run,
            CreatedUtc = DateTime.UtcNow,
            Confounder = confounder,
            Probe = effects.Probe,
            EffectsPath = effectsPath,
            Ranking = [.. ranking.OrderByDescending(stage => stage.Score)],
            Notes =
            [
                "score: how much the stage raised the confounder gap (mean log-odds of the positive class in the subgroup less the background, label held fixed)",
                $"significant: two-sided bootstrap over probe examples, false discovery rate 5% over the stages (Benjamini-Hochberg)",
                $"counterfactuals by replay with gradient source {effects.Gradient}",
            ],
        };
    }
}
