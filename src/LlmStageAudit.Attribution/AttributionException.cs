using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Attribution;

/// <summary>An attribution that cannot be made as asked, or whose arithmetic failed.</summary>
public sealed class AttributionException : AuditException
{
    private AttributionException(ErrorKind kind, string message)
        : base(message) => Kind = kind;

    /// <inheritdoc/>
    public override ErrorKind Kind { get; }

    internal static AttributionException NotFinite(string counterfactual, string stage, int step, string source) =>
        new(ErrorKind.Failure, Sentence(
            $"counterfactual '{counterfactual}', stage '{stage}', step {step}",
            $"the gradient of source '{source}' is not finite",
            "finite numbers",
            $"use {Setting.GradientSource} exact"));

    internal static AttributionException SweepNotFinite(string stage, int step) =>
        new(ErrorKind.Failure, Sentence(
            $"stage '{stage}', step {step}", "the propagated perturbation is not finite", "finite numbers",
            $"the run's curvature is too large for first-order propagation; use {Setting.Method} replay"));

    internal static AttributionException NotReproduced(string stage, double relativeDifference) =>
        new(ErrorKind.Failure, Sentence(
            $"stage '{stage}'",
            $"the logged gradients lead to another state than the saved one (relative difference {relativeDifference:g3})",
            "the same state",
            "the log was changed, or this machine computes differently from the one that trained the run; "
                + $"use {Setting.GradientSource} exact"));

    internal static AttributionException NoGradients(string stage, string source) =>
        new(ErrorKind.Input, Sentence(
            $"stage '{stage}'",
            "its log holds no gradients (trajectory.gradients: false)",
            $"logged gradients, which source '{source}' needs",
            $"use {Setting.GradientSource} exact with whole stages, or train with trajectory.gradients: true"));

    /// <summary>A sweep is asked about a metric that orders examples and has no gradient.</summary>
    /// <param name="path">The probe's file.</param>
    /// <param name="metric">Its name.</param>
    public static AttributionException NotDifferentiable(string path, string metric) =>
        new(ErrorKind.Request, Sentence(
            path,
            $"metric {metric} orders examples and has no gradient",
            "a mean over examples, for a sweep over steps",
            $"use metric: log-likelihood or margin, or {Setting.Method} replay"));

    /// <summary>Another seed is asked of a run that began with another run's state.</summary>
    /// <param name="run">Its folder.</param>
    public static AttributionException SeedsOfPart(string run) =>
        new(ErrorKind.Request, Sentence(
            run, "it departs from a checkpoint of another run, which holds that run's seed", "a run from its beginning",
            $"ask for {Setting.Seeds} of that run"));

    /// <summary>Step numbers are none, or not all of the run.</summary>
    /// <param name="found">As given.</param>
    /// <param name="steps">Steps there are.</param>
    public static AttributionException BadSteps(string found, int steps) =>
        new(ErrorKind.Request, Sentence(Setting.Steps, $"'{found}'", $"step numbers or ranges within 1-{steps}, such as 3,10-12"));
}
