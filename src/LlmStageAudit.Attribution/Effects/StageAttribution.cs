using System.Diagnostics;
using LlmStageAudit.Artifacts.Effects;
using LlmStageAudit.Attribution.Replay;
using LlmStageAudit.Auditing.Probes;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Attribution.Effects;

/// <summary>
/// The effect of every stage (or set of steps) of a run on a probe: effect = gamma(observed) - gamma(counterfactual), from
/// counterfactuals made by replay and evaluated by running the probe with both states.
/// </summary>
public static class StageAttribution
{
    /// <summary>Replays everything the request asks for.</summary>
    /// <param name="run">A completed run.</param>
    /// <param name="probe">Read for the run's model.</param>
    public static EffectsArtifact Attribute(
        TrainedRun run, Probe probe, AttributionRequest request, IProgress<(int Step, int Total)>? progress, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var watch = Stopwatch.StartNew();
        var counterfactuals = request.Counterfactuals(run);
        var source = GradientSource.Named(request.Gradient, request.Rho, run.Configuration.Seed);
        var finals = new CounterfactualReplay(run, source).Run(counterfactuals, progress, cancellation);
        var evaluator = new ProbeEvaluator(run.Model, probe);
        var observed = evaluator.Evaluate(run.FinalState());
        var effects = counterfactuals.Zip(finals, (counterfactual, theta) =>
        {
            var effect = Effect(probe, observed, evaluator.Evaluate(theta), counterfactual.Name, source);
            return request.ExportFolder is { } folder ? effect with { ExportedAdapter = Export(folder, counterfactual.Name, run.Model, theta) } : effect;
        });
        var artifact = new EffectsArtifact
        {
            RunId = run.Manifest.RunId,
            Run = run.Folder.Root,
            Probe = probe.Reference,
            Method = AttributionRequest.ReplayMethod,
            Gradient = source.Name,
            Rho = source.Name == "sampled" ? request.Rho : null,
            Level = request.Level,
            Treatment = request.Level == "step" ? "steps" : request.Treatment,
            Metric = probe.Performance.Name,
            Groups = [.. probe.Groups.Select(group => group.Name)],
            CreatedUtc = DateTime.UtcNow,
            Observed = observed,
            Effects = [.. effects],
            GradientEquivalents = source.GradientEquivalents,
        };
        return artifact with { AttributeSeconds = watch.Elapsed.TotalSeconds };
    }

    private static StageEffect Effect(Probe probe, ProbeScores observed, ProbeScores counterfactual, string name, GradientSource source)
    {
        var effect = probe.Performance.Effect(observed.Examples, counterfactual.Examples, name);
        return new StageEffect
        {
            Stage = name,
            Metric = probe.Performance.Name,
            Estimate = effect.Estimate,
            Low = effect.Low,
            High = effect.High,
            // Exact replay is retraining; what the other sources are worth only a comparison with it can say.
            Trust = source.Name == "exact" ? "verified" : "unchecked",
            Counterfactual = counterfactual,
            PerExample = [.. observed.Examples.Zip(counterfactual.Examples, (o, c) => new ExampleEffect { Id = o.Id, Estimate = o.Value - c.Value })],
        };
    }

    private static string Export(string folder, string name, LanguageModel model, Tensor theta)
    {
        var path = Path.GetFullPath(Path.Combine(folder, "without-" + name.Replace(' ', '-').Replace(',', '_')));
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        StateFolder.Write(path, model, theta);
        return path;
    }
}
