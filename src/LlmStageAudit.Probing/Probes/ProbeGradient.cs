using LlmStageAudit.Modeling.Models;
using LlmStageAudit.Modeling.Objectives;

namespace LlmStageAudit.Probing.Probes;

/// <summary>Derivatives of a differentiable measure at a trainable state.</summary>
/// <param name="model">The model.</param>
/// <param name="probe">Read for it.</param>
/// <param name="measure">A weighted sum of readings.</param>
public sealed class ProbeGradient(LanguageModel model, Probe probe, WeightedReading measure)
{
    private const int BatchSize = 32;

    private readonly ProbeObjective _objective = new(model, probe, measure.Reading);

    /// <summary>Rows of similar length beside each other.</summary>
    private readonly int[] _order = [.. Enumerable.Range(0, probe.Examples.Count).OrderBy(i => probe.Examples[i].Ids.Length)];

    /// <summary>grad gamma(theta), [N], in the current dispose scope.</summary>
    /// <param name="theta">The trainable state [N].</param>
    /// <param name="examples">The part of gamma's sum wanted; null for all of it.</param>
    public Tensor Gradient(Tensor theta, IReadOnlyCollection<int>? examples = null)
    {
        var order = examples is null ? _order : [.. _order.Where(examples.ToHashSet().Contains)];
        return _objective.WeightedGradient(theta, order, [.. order.Select(i => -measure.Weights[i])], BatchSize);
    }

    /// <summary>The Hessian of gamma at theta times a vector, [N], in the current dispose scope.</summary>
    public Tensor HessianProduct(Tensor theta, Tensor vector) =>
        _objective.WeightedHessianVectorProduct(theta, _order, [.. _order.Select(i => -measure.Weights[i])], vector, BatchSize);

    /// <summary>grad reading_i(theta) . direction, for every direction.</summary>
    /// <param name="theta">The trainable state [N].</param>
    /// <param name="directions">Each [N].</param>
    /// <param name="examples">Probe examples, in the order wanted; null for all in probe order.</param>
    public double[][] Derivatives(Tensor theta, IReadOnlyList<Tensor> directions, IReadOnlyList<int>? examples = null)
    {
        var places = (examples ?? [.. Enumerable.Range(0, probe.Examples.Count)])
            .Index().OrderBy(one => probe.Examples[one.Item].Ids.Length).ToArray();
        var sorted = _objective.LossDerivatives(theta, [.. places.Select(one => one.Item)], directions, BatchSize);
        return [.. sorted.Select(values =>
        {
            var ordered = new double[values.Length];
            for (var i = 0; i < values.Length; i++) ordered[places[i].Index] = -values[i];
            return ordered;
        })];
    }
}
