using System.Diagnostics;
using System.Globalization;
using LlmStageAudit.Attribution.Screening;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;

namespace LlmStageAudit.Auditing.Screening;

/// <summary>
/// Effects under a budget: exact replay of everything where the budget holds that; otherwise a cheap screen of all candidates, and exact
/// replay from its top until the head of the ranking by a measure is certain or the budget is spent.
/// </summary>
/// <param name="asked">Its estimator is left at exact replay.</param>
/// <param name="measure">What ranks: the probe's performance, or a confounder gap on it.</param>
/// <param name="certification">The budget, and when the head is certain.</param>
internal sealed class CertifiedAttribution(Inquiry asked, IMeasure measure, CertificationRequest certification)
{
    /// <summary>One key for all candidates, so that their bootstrap draws take the same examples.</summary>
    private const string DrawsKey = "certify";

    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly IReadOnlyList<Counterfactual> _questions = asked.Request.Counterfactuals(asked.Run);
    private readonly CostModel _cost = new(asked.Run.Programs);
    private readonly TopKCertificate _certificate = new(certification.Confidence, certification.Top, certification.Order);

    /// <summary>One effect per question in the run's order, settled ones verified, with a <see cref="Certification"/>.</summary>
    /// <exception cref="ConfigurationException">Settings that do not go together, or a budget too small for any screen.</exception>
    public EffectsArtifact Attribute()
    {
        var plan = ScreeningPlan.Choose(_cost, _questions, asked.Request, certification);
        var writer = new CertificationWriter(_cost, plan, certification, measure);
        return plan.Screen is { } screen ? Screened(screen, plan.BudgetGradients, writer) : Exact(writer);
    }

    private EffectsArtifact Exact(CertificationWriter writer)
    {
        var exact = StageAttribution.Attribute(asked);
        SettledEffect[] settled = [.. exact.Effects.Select(effect => Settled(exact, effect))];
        ScreenedCandidate[] candidates = [.. _questions.Zip(settled, (question, found) => Candidate(question, found.Value))];
        var finding = _certificate.Examine(candidates, settled);
        return exact with
        {
            Effects = [.. exact.Effects.Select(effect => Marked(effect, Estimator.Exact, null))],
            Certification = writer.Write(candidates, settled, finding, screenGradients: 0, exact.GradientEquivalents),
        };
    }

    private EffectsArtifact Screened(Estimator screen, double budgetGradients, CertificationWriter writer)
    {
        var (last, effects, candidates, screenGradients) = screen is Estimator.Adjoint adjoint ? Swept(adjoint) : Replayed(screen);
        var settleGradients = 0.0;
        var (settled, finding) = new TopKRefinement(_certificate, certification.Top).Run(
            candidates, budgetGradients - screenGradients, round =>
            {
                var names = round.Select(i => _questions[i].Name).ToArray();
                last = StageAttribution.Attribute(asked with { Request = asked.Request with { Only = names } });
                settleGradients += last.GradientEquivalents;
                return [.. round.Zip(last.Effects, (i, effect) =>
                {
                    effects[i] = Marked(effect, Estimator.Exact, candidates[i].Score);
                    return Settled(last, effect);
                })];
            });
        for (var i = 0; i < effects.Length; i++)
        {
            // Hundreds of commands for steps would bury the one that matters.
            var isOpen = asked.Request.Treatment is not Treatment.EachStep && finding.Open.Contains(i);
            if (settled[i] is null) effects[i] = Graded(effects[i], _questions[i], finding, isOpen);
        }

        // A sweep makes no artifact of its own, but it scores the last stage or step too, which costs nothing to settle.
        return last! with
        {
            Estimator = null,
            Effects = effects,
            GradientEquivalents = screenGradients + settleGradients,
            AttributeSeconds = asked.Request.Journal.SecondsBefore + _watch.Elapsed.TotalSeconds,
            Certification = writer.Write(candidates, settled, finding, screenGradients, settleGradients),
        };
    }

    /// <summary>Scores every stage, or every step, by one backward sweep with the gradient of the measure.</summary>
    private ScreenOutcome Swept(Estimator.Adjoint screen)
    {
        using var scope = NewDisposeScope();
        var gradient = Inquiry.Derivatives(asked.Run, asked.Probe, measure).Gradient(asked.Run.FinalState());
        var sweep = asked.Sweep(screen);
        var result = sweep.Run([gradient], ofExamples: false, ofBlocks: false, asked.Progress, asked.Cancellation)[0];
        var scores = asked.Request.Treatment is Treatment.EachStep ? [.. result.Steps.Select(step => step.Effect)] : result.StageEffects;
        var effects = _questions.Zip(scores, (question, score) =>
        {
            var ends = StepSet.Ends(question, asked.Run.Programs);
            return new StageEffect
            {
                Stage = question.Name,
                FirstStep = ends?.First,
                LastStep = ends?.Last,
                Metric = measure.Name,
                Estimate = score,
                Trust = TrustGrade.Unknown,
                Estimator = screen,
                Screened = score,
            };
        });
        var candidates = _questions.Zip(scores, (question, score) => Candidate(question, score));
        return new ScreenOutcome(null, [.. effects], [.. candidates], sweep.GradientEquivalents);
    }

    /// <summary>Exact replay of the top is check enough, and a free screen has to stay free.</summary>
    private ScreenOutcome Replayed(Estimator screen)
    {
        var request = asked.Request with { Estimator = screen, SpotChecks = false, ExportFolder = null };
        var replayed = StageAttribution.Attribute(asked with { Request = request });
        var settled = replayed.Effects.Select(effect => Settled(replayed, effect)).ToArray();
        return new ScreenOutcome(
            replayed,
            [.. replayed.Effects.Zip(settled, (effect, found) => Marked(effect, screen, found.Value))],
            [.. _questions.Zip(settled, (question, found) => Candidate(question, found.Value, found.Draws))],
            replayed.GradientEquivalents);
    }

    private ScreenedCandidate Candidate(Counterfactual question, double score, IReadOnlyList<double>? draws = null) =>
        new(question.Name, _cost.Exact(question), score, draws);

    private static StageEffect Marked(StageEffect effect, Estimator estimator, double? screened) =>
        effect with { Estimator = estimator, Screened = screened };

    /// <summary>
    /// An effect that was not settled, with what the screen's error is on those that were: the largest, which are no measure of the others.
    /// </summary>
    private StageEffect Graded(StageEffect effect, Counterfactual question, TopKFinding finding, bool isOpen)
    {
        var error = finding.Errors < TopKCertificate.LeastErrors ? null : finding.ScreeningError / Math.Abs(effect.Screened!.Value);
        var evidence = new TrustEvidence
        {
            Reason = error is null
                ? $"screened; of {finding.Errors} settled effects its error cannot be known"
                : string.Create(
                    CultureInfo.InvariantCulture, $"screened; {finding.Errors} settled effects foretell an error of {error:P0}"),
            PredictedError = error,
        };
        if (isOpen) evidence = ExactReplayOffer.Offer(evidence, asked.Run, asked.Probe, question);
        return effect with { Trust = TrustGrade.Unknown, Evidence = evidence };
    }

    /// <summary>What a replay says of a candidate.</summary>
    private SettledEffect Settled(EffectsArtifact effects, StageEffect effect) => new(
        measure.Evaluate(effects.Observed) - measure.Evaluate(effect.Counterfactual!),
        measure.EffectDraws(effects.Observed, effect.Counterfactual!, DrawsKey));

    /// <summary>What a screen found; the artifact is what a replay made, null for a sweep.</summary>
    private sealed record ScreenOutcome(
        EffectsArtifact? Artifact, StageEffect[] Effects, ScreenedCandidate[] Candidates, double GradientEquivalents);
}
