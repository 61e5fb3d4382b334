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
        StageEffect[][] partial = [.. scores.Select(part => Named(run, request.Treatment, part))];
        var named = Named(run, request.Treatment, steps)
            .Select((effect, i) => folds.WithInterval(effect, [.. partial.Select(part => part[i].Estimate)]));
        var check = new SweepCheck(run, request.Journal);
        var evaluator = new ProbeEvaluator(run.Model, probe);
        var (grade, evidence) = check.Assess(estimator, steps, theta => evaluator.Evaluate(theta).Mean, gradient, asked.Cancellation);
        if (swept[0].Blocks is { } blocks) BlockAttribution.File(asked, blocks, grade, evidence);
        return (
            [.. named.Select(effect => effect with { Metric = probe.Performance.Name, Trust = grade, Evidence = evidence })],
            sweep.GradientEquivalents + check.GradientEquivalents);
    }

    private static StageEffect[] Named(TrainedRun run, Treatment treatment, IReadOnlyList<StepScore> steps) =>
        [.. treatment is Treatment.EachExample ? OfExamples(run, steps) : OfSteps(treatment is Treatment.EachBatch, steps)];

    private static IEnumerable<StageEffect> OfSteps(bool ofBatches, IReadOnlyList<StepScore> steps) =>
        steps.Select((score, i) => new StageEffect
        {
            Stage = ofBatches ? $"batch of step {i + 1}" : $"step {i + 1}",
            FirstStep = i + 1,
            LastStep = i + 1,
            Metric = "",
            Estimate = ofBatches ? score.BatchEffect : score.Effect,
            Trust = "",
        });

    /// <summary>An example that was in several batches of a stage has the sum of its effects there.</summary>
    private static IEnumerable<StageEffect> OfExamples(TrainedRun run, IReadOnlyList<StepScore> steps)
    {
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
                yield return new StageEffect
                {
                    Stage = run.Programs[stage].Name,
                    Example = examples[i].Id,
                    Metric = "",
                    Estimate = effect,
                    Trust = ""
                };
            }
        }
    }
}
