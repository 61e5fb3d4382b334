using LlmStageAudit.Artifacts.Effects;
using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Effects;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Auditing.Probes;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Screening;

/// <summary>Scores every stage, or every step, of a run by one backward sweep with the gradient of a measure.</summary>
internal static class AdjointScreen
{
    private static readonly TrustEvidence s_evidence = new()
    {
        Reason = "a sweep screened it; what is known of its error is what the settled ones show",
    };

    /// <exception cref="AttributionException">The measure has no gradient.</exception>
    public static (IReadOnlyList<StageEffect> Effects, double GradientEquivalents) Score(
        TrainedRun run,
        Probe probe,
        IMeasure measure,
        AttributionRequest request,
        Estimator screen,
        IProgress<(int Step, int Total)>? progress,
        CancellationToken cancellation)
    {
        var weighted = measure.Weighted ?? throw AttributionException.NotDifferentiable(probe.Configuration.Path, measure.Name);
        using var scope = NewDisposeScope();
        var options = new PropagationOptions { Rho = screen.Rho ?? 1, Seed = run.Configuration.Seed, EpsilonFloor = screen.EpsilonFloor };
        var sweep = new AdjointSweep(run, options);
        var gradient = new ProbeGradient(run.Model, probe, weighted).Gradient(run.FinalState());
        var result = sweep.Run([gradient], ofExamples: false, ofBlocks: false, progress, cancellation)[0];
        var scores = request.Level == "step" ? result.Steps.Select(step => step.Effect) : result.StageEffects;
        return ([.. request.Counterfactuals(run).Zip(scores, (question, score) => new StageEffect
        {
            Stage = question.Name,
            Metric = measure.Name,
            Estimate = score,
            Trust = TrustGrade.Low,
            Evidence = s_evidence,
        })], sweep.GradientEquivalents);
    }
}
