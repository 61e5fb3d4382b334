using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Modeling.Examples;
using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Hops;

/// <summary>Which model is evaluated on a probe.</summary>
public abstract record EvaluateRequest : ProbeRequest
{
    private EvaluateRequest()
    {
    }

    /// <summary>The final state of a completed run.</summary>
    /// <param name="Run">Its folder.</param>
    public sealed record OfRun(string Run) : EvaluateRequest;

    /// <summary>A Hugging Face model folder.</summary>
    /// <param name="Model">Its path.</param>
    /// <param name="Adapter">A PEFT adapter folder; null for none.</param>
    public sealed record OfModel(string Model, string? Adapter) : EvaluateRequest;
}

/// <summary>What a probe says of a model.</summary>
/// <param name="Probe">What was measured.</param>
/// <param name="Metric">The performance function's name.</param>
/// <param name="Scores">Of the probe, its groups and examples.</param>
/// <param name="Backgrounds">How many examples each group is held against.</param>
public sealed record Evaluation(ProbeReference Probe, string Metric, ProbeScores Scores, IReadOnlyList<int> Backgrounds);

/// <summary>Model -> scores: performance functions and group metrics; nothing is filed.</summary>
public static class EvaluateHop
{
    /// <summary>Runs the probe on the model, which is disposed of again.</summary>
    /// <exception cref="AuditException">A run, model or probe that cannot be read.</exception>
    public static Evaluation Run(EvaluateRequest request, WalkHost host)
    {
        using var scope = NewDisposeScope();
        switch (request)
        {
            case EvaluateRequest.OfRun of:
                using (var run = TrainedRun.Open(of.Run, host.Device()))
                    return Evaluate(request, run.Model, run.Materials.Reader, run.Materials.ExampleSets, run.FinalState(), host);
            case EvaluateRequest.OfModel of:
                var (model, state) = ModelOpener.Open(of.Model, of.Adapter, request.Probe.Task, host.Device());
                foreach (var warning in model.Warnings) host.Observer.Warn(warning);
                using (model)
                using (state) return Evaluate(request, model, new ExampleReader(model, null), [], state, host);
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private static Evaluation Evaluate(
        EvaluateRequest request, LanguageModel model, ExampleReader reader, IReadOnlyList<ExampleSet> trainedOn, Tensor state, WalkHost host)
    {
        var probe = request.ReadProbe(model, reader, trainedOn, host);
        var scores = new ProbeEvaluator(model, probe).Evaluate(state);
        // Rates and areas of numbers that are none look like any others.
        if (scores.Examples.FirstOrDefault(example => !double.IsFinite(example.LogLikelihood)) is { } lost)
            throw ProbeException.NotFinite(probe.Configuration.Path, lost.Id, lost.LogLikelihood);
        return new Evaluation(
            probe.Reference,
            probe.Performance.Name,
            scores,
            [.. probe.Groups.Select(group => group.Background.Count())]);
    }
}
