using LlmStageAudit.Records.Effects;
using LlmStageAudit.Reporting.Findings;
using LlmStageAudit.Reporting.Markup;

namespace LlmStageAudit.Reporting.Sections;

/// <summary>What the numbers mean and what they do not.</summary>
internal static class LimitsSection
{
    public static void Write(MarkupWriter page, AuditFindings findings)
    {
        page.OpenSection("limits", "How to read these numbers");
        page.Open("dl", ("class", "terms"));
        Term(page, "Effect", "The measure of the model as trained minus the measure of the counterfactual: the model that the same run "
            + "would have made without the stage. All other stages keep their data, order and settings. An effect belongs to this run, its "
            + "stage order and its seed; effects of several stages need not add up.");
        Term(page, "Sign", "Positive, ▲: the stage raised the measure. Negative, ▼: it lowered it. Whether that is good depends on the "
            + "measure.");
        foreach (var metric in findings.Effects.Select(finding => finding.Artifact.Metric).Distinct(StringComparer.Ordinal))
        {
            if (MetricText.Meaning(metric) is { } meaning) Term(page, "Measure", char.ToUpperInvariant(meaning[0]) + meaning[1..]);
        }

        Term(page, "Interval", $"A {NumberText.Percent(findings.Inputs.IntervalLevel)} percentile bootstrap over probe examples. It says "
            + "how far the effect depends on which rows the probe holds. It does not cover the error of the estimate, nor other seeds. "
            + "A dash: a sweep over all steps, batches or examples gives the mean over the probe alone.");
        var estimators = findings.Effects.Select(finding => (finding.Artifact.Method, finding.Artifact.Gradient)).Distinct();
        foreach (var (method, gradient) in estimators)
        {
            Term(page, gradient is null ? $"Method {method}" : $"Gradient source {gradient}", Meaning(method, gradient));
        }

        foreach (var treatment in findings.Effects.Select(finding => finding.Artifact.Treatment.Kind).Distinct(StringComparer.Ordinal))
        {
            if (TreatmentMeaning(treatment) is { } meaning) Term(page, $"Treatment {treatment}", meaning);
        }

        foreach (var level in findings.Effects.Select(finding => finding.Noun).Distinct(StringComparer.Ordinal))
        {
            if (LevelMeaning(level) is { } meaning) Term(page, $"Effects by {level}", meaning);
        }

        foreach (var (term, meaning) in TrustText.Terms(findings.Effects)) Term(page, term, meaning);
        page.Close().Close();
    }

    private static void Term(MarkupWriter page, string term, string meaning) =>
        page.Open("div").Element("dt", term).Element("dd", meaning).Close();

    private static string Meaning(string method, string? gradient) => (method, gradient) switch
    {
        ("replay", "exact") => "The counterfactual’s own gradient at every step: this is retraining, done for all stages in one pass. No "
            + "approximation error.",
        ("replay", "midpoint") => "The logged gradient, corrected by a Hessian-vector product halfway between both models. Its error grows "
            + "with the third power of their distance.",
        ("replay", "linear") => "The logged gradient, corrected by a Hessian-vector product at the trained model. Its error grows with the "
            + "square of the distance of both models.",
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
            + "so are verified; the others are the screen’s.",
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

    private static string? TreatmentMeaning(string treatment) => treatment switch
    {
        "stage" => "A stage is a job of its own. The counterfactual leaves the job out; later jobs start with a fresh optimizer and "
            + "schedule, as they did.",
        "steps" => "Updates inside a job are skipped. The schedule goes on over a skipped step; the optimizer’s state does not change at "
            + "it.",
        _ => null,
    };
}
