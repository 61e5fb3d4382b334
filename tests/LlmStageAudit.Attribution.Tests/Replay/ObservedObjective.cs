using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Modeling.Parameters;

namespace LlmStageAudit.Attribution.Tests.Replay;

/// <summary>An objective that keeps account of its passes, and can spoil those of one variant.</summary>
internal sealed class ObservedObjective(IVariantObjective inner) : IVariantObjective
{
    /// <summary>Variants in each pass since the last reset; 1 for a pass of the ordinary kind.</summary>
    public List<int> Passes { get; } = [];

    /// <summary>The variant whose losses are not a number in passes of several.</summary>
    public int? Spoiled { get; set; }

    /// <summary>What <see cref="VariantsThatPay"/> says; null for what the objective behind it says.</summary>
    public int? Paying { get; init; }

    public ParameterLayout Layout => inner.Layout;

    public ScalarType Dtype => inner.Dtype;

    public Device Device => inner.Device;

    public int ExampleCount => inner.ExampleCount;

    public bool SharesBase => inner.SharesBase;

    public double Weight(int example) => inner.Weight(example);

    public int VariantsThatPay(IReadOnlyList<int> examples, int? microBatchSize, int derivative) =>
        Paying ?? inner.VariantsThatPay(examples, microBatchSize, derivative);

    public Tensor Losses(IReadOnlyList<Tensor> parameters, IReadOnlyList<int> examples, StepNoise? noise = null)
    {
        Passes.Add(1);
        return inner.Losses(parameters, examples, noise);
    }

    public Tensor VariantLosses(IReadOnlyList<Tensor> parameters, IReadOnlyList<int> examples, StepNoise? noise = null)
    {
        var count = (int)parameters[0].size(0);
        Passes.Add(count);
        var losses = inner.VariantLosses(parameters, examples, noise);
        if (Spoiled is not { } row) return losses;
        return losses * TensorMemory.Of([.. Enumerable.Range(0, count).Select(r => r == row ? double.NaN : 1)], [count, 1]);
    }
}
