using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Attribution.Trust;
using LlmStageAudit.Attribution;
using LlmStageAudit.Auditing.Effects;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Screening;

/// <summary>Scores every stage, or every step, of a run by one backward sweep with the gradient of a measure.</summary>
internal static class AdjointScreen
{
    /// <summary>Effects in the run's order, and what the sweep cost in gradients of one batch.</summary>
    /// <exception cref="AttributionException">The measure has no gradient.</exception>
    public static (IReadOnlyList<StageEffect> Effects, double GradientEquivalents) Score(
        TrainedRun run,
        Probe probe,
        IMeasure measure,
        AttributionRequest request,
        Estimator.Adjoint screen,
        IProgress<(int Step, int Total)>? progress,
        CancellationToken cancellation)
    {
        var weighted = measure.Weighted ?? throw AttributionException.NotDifferentiable(probe.Configuration.Path, measure.Name);
        using var scope = NewDisposeScope();
        var sweep = new AdjointSweep(run, PropagationOptions.Of(screen, run.Configuration.Seed)) { Journal = request.Journal };
        var gradient = new ProbeGradient(run.Model, probe, weighted).Gradient(run.FinalState());
        var result = sweep.Run([gradient], ofExamples: false, ofBlocks: false, progress, cancellation)[0];
        var scores = request.Treatment is Treatment.EachStep ? result.Steps.Select(step => step.Effect) : result.StageEffects;
        var effects = request.Counterfactuals(run).Zip(scores, (question, score) =>
        {
            var ends = StepSet.Ends(question, run.Programs);
            return new StageEffect
            {
                Stage = question.Name,
                FirstStep = ends?.First,
                LastStep = ends?.Last,
                Metric = measure.Name,
                Estimate = score,
                Trust = TrustGrade.Low,
            };
        });
        return ([.. effects], sweep.GradientEquivalents);
    }
}
