namespace LlmStageAudit.Reporting.Sections;

/// <summary>What the numbers mean and what they do not.</summary>
internal static class LimitsSection
{
    /// <summary>Coverage of the bootstrap intervals that the effects and rankings carry.</summary>
    public const double IntervalLevel = 0.95;

    public static void Write(MarkupWriter page, AuditFindings findings) =>
        page.Definitions("terms", [.. Terms(findings), .. TrustTerms(findings.Effects)]);

    private static IEnumerable<(string Term, TableCell Meaning)> Terms(AuditFindings findings)
    {
        yield return ("Effect", "The measure of the model as trained minus the measure of the counterfactual: the model that the same run "
            + "would have made without the stage. All other stages keep their data, order and settings. An effect belongs to this run, its "
            + "stage order and its seed; effects of several stages need not add up.");
        yield return ("Sign", "Positive, ▲: the stage raised the measure. Negative, ▼: it lowered it. Whether that is good depends on the "
            + "measure.");
        var effects = findings.Effects.Select(finding => finding.Artifact).ToArray();
        foreach (var metric in effects.Select(effect => effect.Metric).Distinct(StringComparer.Ordinal))
        {
            if (MetricText.Meaning(metric) is { } meaning) yield return ("Measure", meaning);
        }

        yield return ("Interval", $"A {NumberText.Percent(IntervalLevel)} percentile bootstrap over probe examples. It says how far the "
            + "effect depends on which rows the probe holds. It does not cover the error of the estimate, nor other seeds. "
            + "A dash: a sweep over all steps, batches or examples gives the mean over the probe alone.");
        foreach (var (method, gradient) in effects.Select(effect => (effect.Method, effect.Gradient)).Distinct())
        {
            yield return (gradient is null ? $"Method {method}" : $"Gradient source {gradient}", Meaning(method, gradient));
        }

        foreach (var treatment in effects.Select(effect => effect.Treatment.Kind).Distinct(StringComparer.Ordinal))
        {
            yield return ($"Treatment {treatment}", treatment == "stage"
                ? "A stage is a job of its own. The counterfactual leaves the job out; later jobs start with a fresh optimizer and "
                    + "schedule, as they did."
                : "Updates inside a job are skipped. The schedule goes on over a skipped step; the optimizer’s state does not change at "
                    + "it.");
        }

        foreach (var level in effects.Select(effect => effect.Treatment.Level).Distinct(StringComparer.Ordinal))
        {
            if (LevelMeaning(level) is { } meaning) yield return ($"Effects by {level}", meaning);
        }
    }

    // What the grades and the numbers beside them mean, as far as the effects at hand have them.
    private static IEnumerable<(string Term, TableCell Meaning)> TrustTerms(IReadOnlyList<EffectFinding> findings)
    {
        yield return ("Trust", "Exact, solid: exact replay, which is retraining to the bit. Verified, solid: an estimate that was held "
            + "against a retraining, by this very estimator, treatment, metric and run, and was at most 5 % off. High, hatched: checks "
            + "foretell at most 5 %. Medium, hatched: at most 25 %. Low, hollow: more. Unknown, hollow: nothing checked it, or too little. "
            + "The error foretold is the predicted error, to which first-order methods add the linearity gap, times a calibrated margin.");
        var effects = findings.SelectMany(finding => finding.Stages).Select(stage => stage.Effect).ToArray();
        if (effects.All(effect => effect.Evidence is null)) yield break;
        yield return ("Predicted error", "The error of the effect that the checks foretell, relative to it. What a checked step "
            + "adds is counted for all steps it speaks for, by their learning rates; where gradients are sampled, errors add up as "
            + "independent ones do. In a sweep: the error of two steps that were really skipped. Under a budget: the screen’s error, from "
            + "the effects that were settled.");
        yield return ("Gradient mismatch", "At checked steps: how far the estimated change of the gradient is from the true one, relative "
            + "to the true one. 0 %: exact. 100 %: as if the gradient had not changed at all.");
        yield return ("Linearity gap", "How far the effect on probe rows, taken as the probe’s gradient times the change of the "
            + "parameters, is from the effect found by running both models, relative to the latter.");
        yield return ("Growth", "The distance of both models at the last check over that at the first. Above 1, differences grow on their "
            + "way, and errors with them.");
        if (effects.All(effect => effect.Evidence?.Settle is null)) yield break;
        yield return ("Settling", "A command that makes an effect of low or unknown trust an exact one. Its cost is in "
            + "gradients of one batch: one per step trained.");
    }

    private static string Meaning(string method, string? gradient) => (method, gradient) switch
    {
        ("replay", "exact") => "The counterfactual’s own gradient at every step: this is retraining, done for all stages in one pass. No "
            + "approximation error.",
        ("replay", "midpoint") => "The logged gradient, corrected by a Hessian-vector product halfway between both models: dearer than "
            + "exact gradients. Its error grows with the third power of their distance.",
        ("replay", "linear") => "The logged gradient, corrected by a Hessian-vector product at the trained model: dearer than exact "
            + "gradients. Its error grows with the square of the distance of both models.",
        ("replay", "sampled") => "The logged gradient, corrected by the difference of both models’ gradients on a random share of the "
            + "batch. Right on average, with noise that falls as the share grows.",
        ("replay", "recorded") => "The logged gradient as it is: the counterfactual model is taken to pull the same way. Free, and wrong "
            + "where the stage moved the model far.",
        ("adjoint", _) => "The change of the parameters to first order: each optimizer step, momentum, moments and decay included, is "
            + "linearised where the run made it, with Hessian-vector products as curvature. The effect is the probe’s gradient times that "
            + "change. Below stages one sweep backwards through the log scores every step, batch and example at once.",
        ("aa-score", _) => "Estimator 4.3 of the accountability attribution paper, for comparison: first-order as the adjoint, but each "
            + "step left out is skipped by itself and the effects are added up, so that growing momentum counts several times.",
        ("dvemb", _) => "Data value embeddings (Wang et al., 2025), for comparison: first-order, taking the run for plain SGD without "
            + "momentum, moments or decay, with the outer products of the examples’ gradients as curvature.",
        ("tracin", _) => "TracIn (Pruthi et al., 2020), for comparison: the sum, over the steps left out, of learning rate times agreement "
            + "of the batch’s gradient with the probe’s, which is taken at the end; it ignores everything that later steps did.",
        ("certified", _) => "A cheap screen of everything, and exact replay of the top of it: the effects that were settled "
            + "so are exact; the others are the screen’s.",
        _ => "As named by the tool that made the estimate.",
    };

    private static string? LevelMeaning(string level) => level switch
    {
        "step" => "Each row leaves out one update. Effects of steps need not add up to the effect of their stage.",
        "batch" => "Each row leaves out the gradient of one step’s batch; the update’s momentum and decay go on as they did.",
        "example" => "Each row leaves out one training example from all batches of a stage that it was in: the sum of its effects there. "
            + "Ids are those of the training set.",
        _ => null,
    };
}
