using System.Diagnostics;
using System.Globalization;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Attribution.Screening;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Screening;

/// <summary>
/// Effects under a budget: exact replay of everything where the budget holds that; otherwise a cheap screen of all candidates, and exact
/// replay from its top until the head of the ranking by a measure is certain or the budget is spent.
/// </summary>
/// <param name="run">A completed run.</param>
/// <param name="probe">Read for the run's model.</param>
/// <param name="measure">What ranks: the probe's performance, or a confounder gap on it.</param>
public sealed class CertifiedAttribution(TrainedRun run, Probe probe, IMeasure measure)
{
    /// <summary>One key for all candidates, so that their bootstrap draws take the same examples.</summary>
    private const string DrawsKey = "certify";

    /// <summary>Screens and settles; nothing is filed.</summary>
    /// <param name="request">What is asked about; its estimator is left at exact replay.</param>
    /// <param name="certification">The budget, and when the head is certain.</param>
    /// <param name="progress">Gets steps walked and steps in all, anew for every walk.</param>
    /// <param name="cancellation">Checked between steps.</param>
    /// <returns>One effect per question in the run's order, settled ones verified, with a <see cref="Certification"/>.</returns>
    /// <exception cref="ConfigurationException">Settings that do not go together, or a budget too small for any screen.</exception>
    public EffectsArtifact Attribute(
        AttributionRequest request,
        CertificationRequest certification,
        IProgress<(int Step, int Total)>? progress,
        CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        var questions = request.Counterfactuals(run);
        var cost = new CostModel(run.Programs);
        var plan = ScreeningPlan.Choose(cost, questions, request, certification);
        var certificate = new TopKCertificate(certification.Confidence, certification.Top, certification.Order);
        if (plan.Screen is null)
        {
            var exact = StageAttribution.Attribute(run, probe, request, progress, cancellation);
            ScreenedCandidate[] candidates = [.. questions.Zip(exact.Effects, (question, effect) =>
                new ScreenedCandidate(question.Name, cost.Exact(question), ValueOf(exact, effect)))];
            SettledEffect[] settled = [.. exact.Effects.Select(effect => Settled(exact, effect))];
            var record = new CertificationWriter(cost, plan, certification, measure)
                .Write(candidates, settled, certificate.Examine(candidates, settled), screenGradients: 0, exact.GradientEquivalents);
            var marked = exact.Effects.Select(effect => Marked(effect, Estimator.Exact, null));
            return exact with { Effects = [.. marked], Certification = record };
        }

        return Screened(request, certification, questions, cost, plan, certificate, watch, progress, cancellation);
    }

    private EffectsArtifact Screened(
        AttributionRequest request,
        CertificationRequest certification,
        IReadOnlyList<Counterfactual> questions,
        CostModel cost,
        ScreeningPlan plan,
        TopKCertificate certificate,
        Stopwatch watch,
        IProgress<(int Step, int Total)>? progress,
        CancellationToken cancellation)
    {
        var (screened, effects, candidates, screenGradients) = Screen(request, plan.Screen!, questions, cost, progress, cancellation);
        var merged = effects.ToArray();
        var last = screened;
        var settleGradients = 0.0;
        var (settled, finding) = new TopKRefinement(certificate, certification.Top).Run(
            candidates, plan.BudgetGradients - screenGradients, round =>
            {
                var names = round.Select(i => questions[i].Name).ToArray();
                last = StageAttribution.Attribute(run, probe, request with { Only = names }, progress, cancellation);
                settleGradients += last.GradientEquivalents;
                return [.. round.Zip(last.Effects, (i, effect) =>
                {
                    merged[i] = Marked(effect, Estimator.Exact, candidates[i].Score);
                    return Settled(last, effect);
                })];
            });
        for (var i = 0; i < merged.Length; i++)
        {
            // Hundreds of commands for steps would bury the one that matters.
            var isOpen = request.Treatment is not Treatment.EachStep && finding.Open.Contains(i);
            if (settled[i] is null) merged[i] = Graded(merged[i], questions[i], finding, isOpen);
        }

        var record = new CertificationWriter(cost, plan, certification, measure)
            .Write(candidates, settled, finding, screenGradients, settleGradients);
        // A sweep makes no artifact of its own, but it scores the last stage or step too, which costs nothing to settle.
        return last! with
        {
            Estimator = null,
            Effects = merged,
            GradientEquivalents = screenGradients + settleGradients,
            AttributeSeconds = request.Journal.SecondsBefore + watch.Elapsed.TotalSeconds,
            Certification = record,
        };
    }

    private ScreenOutcome Screen(
        AttributionRequest request,
        Estimator screen,
        IReadOnlyList<Counterfactual> questions,
        CostModel cost,
        IProgress<(int Step, int Total)>? progress,
        CancellationToken cancellation)
    {
        if (screen is Estimator.Adjoint sweeping)
        {
            var (scored, sweepGradients) = AdjointScreen.Score(run, probe, measure, request, sweeping, progress, cancellation);
            var swept = questions.Zip(
                scored,
                (question, effect) => new ScreenedCandidate(question.Name, cost.Exact(question), effect.Estimate));
            return new ScreenOutcome(
                null,
                [.. scored.Select(effect => Marked(effect, screen, effect.Estimate))],
                [.. swept],
                sweepGradients);
        }

        // Exact replay of the top is check enough, and a free screen has to stay free.
        var screening = request with { Estimator = screen, SpotChecks = false, ExportFolder = null };
        var replayed = StageAttribution.Attribute(run, probe, screening, progress, cancellation);
        var candidates = questions.Zip(replayed.Effects, (question, effect) => new ScreenedCandidate(
            question.Name,
            cost.Exact(question),
            ValueOf(replayed, effect),
            measure.EffectDraws(replayed.Observed, effect.Counterfactual!, DrawsKey)));
        var marked = replayed.Effects.Select(effect => Marked(effect, screen, ValueOf(replayed, effect)));
        return new ScreenOutcome(replayed, [.. marked], [.. candidates], replayed.GradientEquivalents);
    }

    private static StageEffect Marked(StageEffect effect, Estimator estimator, double? screened) =>
        effect with { Estimator = estimator, Screened = screened };

    /// <summary>The trust in an effect that was not settled, by what the screen's error is on those that were.</summary>
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
        var grade = error is { } known && double.IsFinite(known) ? TrustGrade.Of(known) : TrustGrade.Low;
        return effect with { Trust = grade, Evidence = isOpen ? ExactReplayOffer.Offer(evidence, run, probe, question) : evidence };
    }

    private double ValueOf(EffectsArtifact effects, StageEffect effect) =>
        measure.Evaluate(effects.Observed) - measure.Evaluate(effect.Counterfactual!);

    private SettledEffect Settled(EffectsArtifact effects, StageEffect effect) =>
        new(ValueOf(effects, effect), measure.EffectDraws(effects.Observed, effect.Counterfactual!, DrawsKey));

    /// <summary>What a screen found; the artifact is what a replay made, null for a sweep.</summary>
    private sealed record ScreenOutcome(
        EffectsArtifact? Artifact, IReadOnlyList<StageEffect> Effects, ScreenedCandidate[] Candidates, double GradientEquivalents);
}
