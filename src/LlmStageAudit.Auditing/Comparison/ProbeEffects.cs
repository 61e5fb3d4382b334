using LlmStageAudit.Attribution;
using LlmStageAudit.Probing.Probes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Configuration;
using LlmStageAudit.Records.Serialization;
using LlmStageAudit.Training.Runs;

namespace LlmStageAudit.Auditing.Comparison;

/// <summary>
/// Effects on the examples of a probe: on its performance function, or, where that is a group metric, on the log-likelihood of the
/// label.
/// </summary>
public sealed class ProbeEffects : IExampleEffects
{
    private readonly TrainedRun _run;
    private readonly Probe _probe;
    private readonly double[] _observed;

    /// <summary>Runs the probe on the final state, in the current dispose scope.</summary>
    /// <param name="run">A completed run, which outlives this.</param>
    /// <param name="probe">Read for its model.</param>
    public ProbeEffects(TrainedRun run, Probe probe)
    {
        (_run, _probe) = (run, probe);
        using var scope = NewDisposeScope();
        _observed = Values(run.FinalState());
    }

    /// <summary>What is measured per example, as configurations spell it.</summary>
    public string Metric => _probe.Configuration.Metric.IsOfGroups
        ? new Metric.LogLikelihood().Name
        : _probe.Performance.Name;

    /// <inheritdoc/>
    public double[][] Finite(IReadOnlyList<Tensor> counterfactuals) =>
        [.. counterfactuals.Select(theta => _observed.Zip(Values(theta), (observed, value) => observed - value).ToArray())];

    /// <inheritdoc/>
    public double[][]? FirstOrder(IReadOnlyList<Tensor> changes)
    {
        if (_probe.Performance.Weighted is not { } weighted) return null;
        using var scope = NewDisposeScope();
        return new ProbeGradient(_run.Model, _probe, weighted).Derivatives(_run.FinalState(), changes);
    }

    /// <inheritdoc/>
    public Tensor MeanGradient() => Derivatives().Gradient(_run.FinalState());

    /// <inheritdoc/>
    public Tensor MeanHessianProduct(Tensor vector) => Derivatives().HessianProduct(_run.FinalState(), vector);

    private ProbeGradient Derivatives() => _probe.Performance.Weighted is { } weighted
        ? new ProbeGradient(_run.Model, _probe, weighted)
        : throw AttributionException.NotDifferentiable(_probe.Configuration.Path, _probe.Performance.Name);

    private double[] Values(Tensor theta) =>
        [.. new ProbeEvaluator(_run.Model, _probe).Evaluate(theta).Examples.Select(example => example.Value)];
}
