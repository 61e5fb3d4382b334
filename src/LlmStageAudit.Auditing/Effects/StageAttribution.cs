using System.Diagnostics;
using LlmStageAudit.Attribution.Estimators;
using LlmStageAudit.Foundation.Files;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Probing.Statistics;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Effects;

/// <summary>
/// The effect of every stage (or set of steps, step, batch, example) of a run on a probe: effect = gamma(observed) -
/// gamma(counterfactual). Replay makes the counterfactual and the probe is run with both states; the first-order methods
/// multiply the probe's gradient with the change of the parameters.
/// </summary>
internal static class StageAttribution
{
    /// <summary>Effects in the order of the questions; nothing is written but what the request exports and journals.</summary>
    /// <exception cref="Attribution.AttributionException">Missing logs, or numbers that are not finite.</exception>
    public static EffectsArtifact Attribute(Inquiry asked)
    {
        var (run, probe, request) = (asked.Run, asked.Probe, asked.Request);
        using var scope = NewDisposeScope();
        var watch = Stopwatch.StartNew();
        request.Validated();
        var evaluator = new ProbeEvaluator(run.Model, probe);
        var observed = evaluator.Evaluate(run.FinalState());
        var (effects, cost) = request.Sweep is { } estimator
            ? SweepAttribution.Effects(asked, estimator)
            : Effects(asked, evaluator, observed);
        return new EffectsArtifact
        {
            RunId = run.Manifest.RunId,
            Run = run.Folder.Root,
            Probe = probe.Reference,
            Estimator = request.Estimator,
            Treatment = request.Treatment,
            ToolVersion = RunEngine.ToolVersion,
            Metric = probe.Performance.Name,
            Groups = [.. probe.Groups.Select(group => group.Name)],
            CreatedUtc = DateTime.UtcNow,
            Observed = observed,
            Effects = effects,
            GradientEquivalents = cost,
            AttributeSeconds = request.Journal.SecondsBefore + watch.Elapsed.TotalSeconds,
        };
    }

    /// <summary>What the effects that answer the request are found by.</summary>
    public static ResultIdentity IdentityOf(TrainedRun run, Probe probe, AttributionRequest request) => new(
        run.Manifest.RunId, probe.Reference.Sha256, probe.Performance.Name, request.Treatment, probe.Reference.DefinitionSha256,
        request.Estimator, RunEngine.ToolVersion);

    private static (IReadOnlyList<StageEffect> Effects, double GradientEquivalents) Effects(
        Inquiry asked, ProbeEvaluator evaluator, ProbeScores observed)
    {
        var (run, probe, request) = (asked.Run, asked.Probe, asked.Request);
        var questions = request.Counterfactuals(run);
        if (BlockAttribution.Blocks(asked, questions) is { } blocks)
            return StageSums.Settle(asked, questions, BlockAttribution.Effects(asked, questions, blocks));
        var estimation = Estimation.Run(
            run, request.Estimator, run.Configuration.Seed, questions, asked.Progress, asked.Cancellation, request.SpotChecks,
            request.Journal);
        var readings = new QuestionReadings(run, probe, request.Estimator, estimation, observed);
        var effects = questions.Select((question, i) =>
        {
            var counterfactual = evaluator.Evaluate(estimation.Counterfactuals[i]);
            var (perExample, linearityGap) = readings.Of(i, counterfactual);
            var effect = readings.AreLinear
                ? Bootstrap.Mean(perExample, question.Name)
                : probe.Performance.Effect(observed.Examples, counterfactual.Examples, question.Name);
            var (grade, evidence) = estimation.Trust(i, readings.PredictedError(i), linearityGap);
            var steps = StepSet.Ends(question, run.Programs);
            return new StageEffect
            {
                Stage = question.Name,
                FirstStep = steps?.First,
                LastStep = steps?.Last,
                Metric = probe.Performance.Name,
                Estimate = effect.Estimate,
                Low = effect.Low,
                High = effect.High,
                Trust = grade,
                Evidence = grade is TrustGrade.Low or TrustGrade.Unknown
                    ? ExactReplayOffer.Offer(evidence, run, probe, question)
                    : evidence,
                Counterfactual = counterfactual,
                PerExample = [.. observed.Examples.Zip(
                    perExample, (example, value) => new ExampleEffect { Id = example.Id, Estimate = value })],
                ExportedAdapter = request.ExportFolder is { } folder
                    ? Export(folder, question.Name, run.Model, estimation.Counterfactuals[i])
                    : null,
            };
        });
        return StageSums.Settle(asked, questions, ([.. effects], estimation.GradientEquivalents));
    }

    private static string Export(string folder, string name, LanguageModel model, Tensor theta)
    {
        var path = Path.GetFullPath(Path.Combine(folder, "without-" + name.Replace(' ', '-').Replace(',', '_')));
        if (Directory.Exists(path)) StorageException.Guard(path, () => Directory.Delete(path, recursive: true));
        StateFolder.Write(path, model, theta);
        return path;
    }
}
