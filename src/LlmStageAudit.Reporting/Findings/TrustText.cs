namespace LlmStageAudit.Reporting.Findings;

/// <summary>
/// The grades of trust as effects files spell them, and where they begin. The page explains grades that others gave; it
/// grades nothing.
/// </summary>
internal static class TrustText
{
    public const string Verified = "verified";
    public const string High = "high";
    public const string Medium = "medium";
    public const string Low = "low";

    /// <summary>What files written before effects were graded say.</summary>
    public const string Unchecked = "unchecked";

    /// <summary>Whether nothing bounds the estimate's error, or too wide a bound.</summary>
    public static bool IsLow(string grade) => grade is Low or Unchecked;

    /// <summary>What the grades and the numbers beside them mean, as far as the effects at hand have them.</summary>
    public static IEnumerable<(string Term, string Meaning)> Terms(IReadOnlyList<EffectFinding> findings)
    {
        yield return ("Trust", "Verified, solid: retrained, or exact replay, which is retraining. High, hatched: not retrained; checks "
            + "foretell an error of up to 5 % of the effect. Medium, hatched: up to 25 %. Low, hollow: above that, or nothing checked it. "
            + "The error foretold is the predicted error, to which first-order methods add the linearity gap. The scores of a sweep over "
            + "steps are medium at best: two of them are checked. Baselines are always low.");
        var effects = findings.SelectMany(finding => finding.Stages).Select(stage => stage.Effect).ToArray();
        if (effects.Any(effect => effect.Trust == Unchecked))
        {
            yield return ("Unchecked", "From a file written before effects were graded: nothing but the estimate itself. Read it as low.");
        }

        if (effects.All(effect => effect.Evidence is null)) yield break;
        yield return ("Predicted error", "The error of the effect that the checks foretell, "
            + "relative to it. What a checked step adds is counted once for every step it speaks for; where gradients are "
            + "sampled, errors add up as independent ones do. In a sweep: the error of a score, from two steps that were really skipped, "
            + "times a margin. Under a budget: the screen’s error, from the effects that were settled.");
        yield return ("Gradient mismatch", "At checked steps: how far the estimated change of the gradient is from the true one, relative "
            + "to the true one. 0 %: exact. 100 %: as if the gradient had not changed at all.");
        yield return ("Linearity gap", "How far the effect on probe rows, taken as the probe’s gradient times the change of the "
            + "parameters, is from the effect found by running both models, relative to the latter.");
        yield return ("Growth", "The distance of both models at the last check over that at the first. Above 1, differences grow on their "
            + "way, and errors with them.");
        if (effects.All(effect => effect.Evidence?.Settle is null)) yield break;
        yield return ("Settling", "A command that retrains, so that an effect of low trust becomes a verified one. Its cost is in "
            + "gradients of one batch: one per step trained.");
    }
}
