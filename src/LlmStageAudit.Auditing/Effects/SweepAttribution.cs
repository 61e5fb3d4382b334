using LlmStageAudit.Attribution;
using LlmStageAudit.Attribution.Adjoint;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>Effects of all steps, batches or examples of a run on a probe, from one backward sweep.</summary>
internal static class SweepAttribution
{
    public static (IReadOnlyList<StageEffect> Effects, double GradientEquivalents) Effects(Inquiry asked, Estimator.Adjoint estimator)
    {
        var (run, probe, request) = (asked.Run, asked.Probe, asked.Request);
        var (derivatives, final) = (Inquiry.Derivatives(run, probe, probe.Performance), run.FinalState());
        if (request.Folds > probe.Examples.Count)
            throw ConfigurationException.Bad(
                Setting.Folds, $"{request.Folds}", $"at most {probe.Examples.Count}, the examples of {probe.Configuration.Path}");
        var folds = new ProbeFolds(probe.Examples.Count, request.Folds, run.Configuration.Seed);
        Tensor[] parts = [.. folds.Members.Select(members => derivatives.Gradient(final, members))];
        var gradient = parts.Length == 1 ? parts[0] : stack(parts).sum(0L);
        var readout = SweepReadout.Of(estimator.Readout, run, gradient, vector => derivatives.HessianProduct(final, vector));
        var isPlain = readout.Vectors.Count == 1 && parts.Length == 1;
        // A block's score is a difference of two products, which a squared term is not.
        var ofBlocks = request.Treatment is Treatment.EachStep && isPlain && asked.FitsBlockTable;
        var sweep = asked.Sweep(estimator);
        var swept = sweep.Run(
            [.. parts, .. readout.Vectors.Skip(1)],
            ofExamples: request.Treatment is Treatment.EachExample,
            ofBlocks,
            asked.Progress,
            asked.Cancellation);
        IReadOnlyList<StepScore>[] scores = [.. swept.Take(parts.Length).Select(part => part.Steps)];
        var steps = readout.Read([ProbeFolds.Sum(scores), .. swept.Skip(parts.Length).Select(one => one.Steps)]);
        StageEffect[][] partial = [.. scores.Select(Named)];
        var named = Named(steps)
            .Select((effect, i) => folds.WithInterval(effect, [.. partial.Select(part => part[i].Estimate)]));
        var check = new SweepCheck(run, request.Journal);
        var evaluator = new ProbeEvaluator(run.Model, probe);
        var (grade, evidence) = request.Treatment is Treatment.EachStep
            ? check.Assess(estimator, steps, theta => evaluator.Evaluate(theta).Mean, gradient, asked.Cancellation)
            : (TrustGrade.Unknown, new TrustEvidence { Reason = "no batch or example was left out alone to check it" });
        if (swept[0].Blocks is { } blocks) BlockAttribution.File(asked, blocks, grade, evidence);
        return (
            [.. named.Select(effect => effect with
            {
                Metric = probe.Performance.Name,
                Trust = effect.Evidence is null ? grade : effect.Trust,
                Evidence = effect.Evidence ?? evidence,
            })],
            sweep.GradientEquivalents + check.GradientEquivalents);

        StageEffect[] Named(IReadOnlyList<StepScore> scored) => [.. request.Treatment is Treatment.EachExample
            ? OfExamples(asked, scored)
            : OfSteps(asked, scored)];
    }

    private static IEnumerable<StageEffect> OfSteps(Inquiry asked, IReadOnlyList<StepScore> steps)
    {
        var ofBatches = asked.Request.Treatment is Treatment.EachBatch;
        return steps.Select((score, i) =>
        {
            var effect = new StageEffect
            {
                Stage = ofBatches ? $"batch of step {i + 1}" : $"step {i + 1}",
                FirstStep = i + 1,
                LastStep = i + 1,
                Metric = "",
                Estimate = ofBatches ? score.BatchEffect : score.Effect,
                Trust = TrustGrade.Unknown,
            };
            return ofBatches && asked.Run.Programs[score.StageIndex].Steps.Count == 1 ? Whole(asked, score.StageIndex, effect) : effect;
        });
    }

    /// <summary>An example that was in several batches of a stage has the sum of its effects there.</summary>
    private static IEnumerable<StageEffect> OfExamples(Inquiry asked, IReadOnlyList<StepScore> steps)
    {
        var run = asked.Run;
        for (var stage = 0; stage < run.Programs.Count; stage++)
        {
            var examples = run.Materials.ExampleSets[stage].Examples;
            var effects = new double?[examples.Count];
            foreach (var score in steps.Where(step => step.StageIndex == stage))
            {
                var batch = run.Programs[stage].Steps[score.StageStep - 1].Batch;
                for (var i = 0; i < batch.Length; i++) effects[batch[i]] = (effects[batch[i]] ?? 0) + score.ExampleEffects![i];
            }

            for (var i = 0; i < effects.Length; i++)
            {
                if (effects[i] is not { } effect) continue;
                var scored = new StageEffect
                {
                    Stage = run.Programs[stage].Name,
                    Example = examples[i].Id,
                    Metric = "",
                    Estimate = effect,
                    Trust = TrustGrade.Unknown,
                };
                yield return run.Programs[stage].Steps.All(step => step.Batch.All(row => row == i)) ? Whole(asked, stage, scored) : scored;
            }
        }
    }

    /// <summary>
    /// What stands for all gradients of a job: an optimizer that does not notice their common factor has a derivative of 0 there, so its
    /// score is refused and exact replay of the stage offered.
    /// </summary>
    private static StageEffect Whole(Inquiry asked, int stage, StageEffect effect)
    {
        var program = asked.Run.Programs[stage];
        if (!program.Optimizer.IgnoresGradientScale) return effect;
        var evidence = new TrustEvidence
        {
            Reason = $"it is all that '{program.Name}' was trained on, and an optimizer that scales gradients by their own size does not "
                + "notice a common factor, so that its derivative is 0 whatever the stage did",
        };
        return effect with
        {
            Estimate = double.NaN,
            Evidence = ExactReplayOffer.Offer(evidence, asked.Run, asked.Probe, Counterfactual.WithoutStage(program.Name, stage)),
        };
    }
}
