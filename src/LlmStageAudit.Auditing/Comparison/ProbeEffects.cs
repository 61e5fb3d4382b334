using LlmStageAudit.Auditing.Effects;
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
internal sealed class ProbeEffects : IExampleEffects
{
    private readonly TrainedRun _run;
    private readonly Probe _probe;
    private readonly double[] _observed;

    /// <summary>Runs the probe on the final state of a run that outlives this.</summary>
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

    public double[][] Finite(IReadOnlyList<Tensor> counterfactuals) =>
        [.. counterfactuals.Select(theta => _observed.Zip(Values(theta), (observed, value) => observed - value).ToArray())];

    public double[][]? FirstOrder(IReadOnlyList<Tensor> changes)
    {
        if (_probe.Performance.Weighted is null) return null;
        using var scope = NewDisposeScope();
        return Derivatives().Derivatives(_run.FinalState(), changes);
    }

    public Tensor MeanGradient() => Derivatives().Gradient(_run.FinalState());

    public Tensor MeanHessianProduct(Tensor vector) => Derivatives().HessianProduct(_run.FinalState(), vector);

    private ProbeGradient Derivatives() => Inquiry.Derivatives(_run, _probe, _probe.Performance);

    private double[] Values(Tensor theta) =>
        [.. new ProbeEvaluator(_run.Model, _probe).Evaluate(theta).Examples.Select(example => example.Value)];
}
