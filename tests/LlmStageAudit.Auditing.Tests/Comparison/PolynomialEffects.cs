using LlmStageAudit.Attribution;
using LlmStageAudit.Attribution.Tests;
using LlmStageAudit.Auditing.Comparison;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Testing;

namespace LlmStageAudit.Auditing.Tests.Comparison;

/// <summary>gamma_i = -loss_i of a small objective, as a comparison asks for it.</summary>
internal sealed class PolynomialEffects(RetrainableTrajectory trajectory, PolynomialObjective probe) : IExampleEffects
{
    private readonly int[] _examples = [.. Enumerable.Range(0, probe.ExampleCount)];

    /// <summary>False: gamma has no derivative.</summary>
    public bool IsDifferentiable { get; init; } = true;

    /// <summary>A stage without which every example changes by the same amount: there is nothing to correlate.</summary>
    public int? ConstantAt { get; init; }

    public double[] Values(double[] theta)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        return [.. probe.Losses(probe.Layout.Split(TensorMemory.Of(theta)), _examples).ToArray<double>().ToArray().Select(loss => -loss)];
    }

    public double[] Effects(double[] counterfactual) =>
        [.. Values(trajectory.Final()).Zip(Values(counterfactual), (observed, without) => observed - without)];

    public double[][] Finite(IReadOnlyList<Tensor> counterfactuals) =>
        [.. counterfactuals.Select((theta, i) => i == ConstantAt ? [.. _examples.Select(_ => 0.5)] : Effects(theta.ToArray<double>()))];

    public double[][]? FirstOrder(IReadOnlyList<Tensor> changes)
    {
        if (!IsDifferentiable) return null;
        using var scope = NewDisposeScope();
        var found = probe.LossDerivatives(trajectory.StateBefore(trajectory.Programs.Count), _examples, changes);
        return [.. found.Select(values => Array.ConvertAll(values, value => -value))];
    }

    public Tensor MeanGradient() => IsDifferentiable
        ? -probe.LossAndGradient(trajectory.StateBefore(trajectory.Programs.Count), _examples).Gradient
        : throw AttributionException.NotDifferentiable("polynomials", "none");

    public Tensor MeanHessianProduct(Tensor vector) => IsDifferentiable
        ? -probe.HessianVectorProduct(trajectory.StateBefore(trajectory.Programs.Count), _examples, vector)
        : throw AttributionException.NotDifferentiable("polynomials", "none");
}
