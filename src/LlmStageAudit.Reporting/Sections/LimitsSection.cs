using LlmStageAudit.Artifacts.Effects;
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
            + "how far the effect depends on which rows the probe holds. It does not cover the error of the estimate, nor other seeds.");
        var estimators = findings.Effects.Select(finding => (finding.Artifact.Method, finding.Artifact.Gradient)).Distinct();
        foreach (var (method, gradient) in estimators)
        {
            Term(page, gradient is null ? $"Method {method}" : $"Gradient source {gradient}", Meaning(method, gradient));
        }

        foreach (var treatment in findings.Effects.Select(finding => finding.Artifact.Treatment).Distinct(StringComparer.Ordinal))
        {
            if (TreatmentMeaning(treatment) is { } meaning) Term(page, $"Treatment {treatment}", meaning);
        }

        Term(page, "Trust", "Verified: the stage was left out in a real retraining and the two agree as shown above. High, medium, low: "
            + "graded from checks, not retrained. Unchecked: nothing but the estimate itself.");
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
        ("adjoint", _) => "One sweep backwards through the log with the transposed optimizer step: a first-order estimate for every step "
            + "at once.",
        ("aa-score", _) => "The estimator of the accountability attribution paper, a sum over steps; it counts growing momentum several "
            + "times.",
        ("dvemb", _) => "Data value embeddings: a first-order estimate without momentum, with gradient outer products as curvature.",
        ("tracin", _) => "The sum of learning rate times gradient agreement; it ignores everything that later steps did.",
        (EffectsArtifact.Certified, _) => "A cheap screen of everything, and exact replay of the top of it: the effects that were settled so are "
            + "verified; the others are the screen’s.",
        _ => "As named by the tool that made the estimate.",
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
