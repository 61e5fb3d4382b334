using LlmStageAudit.Foundation.Randomness;
using LlmStageAudit.Modeling.Objectives;
using LlmStageAudit.Modeling.Parameters;

namespace LlmStageAudit.Benchmarks.Digits;

/// <summary>
/// A classifier of two layers, as far from a language model as the core can be asked to go:
/// <code>loss_i = -log softmax(W2 relu(W1 x_i + b1) + b2)[y_i]</code>
/// </summary>
internal sealed class PerceptronObjective : IObjective, IDisposable
{
    private readonly Tensor _images;
    private readonly Tensor _labels;

    /// <param name="images">x_i, all of one length.</param>
    /// <param name="labels">y_i, each below the number of classes.</param>
    /// <param name="hidden">Rows of W1.</param>
    public PerceptronObjective(
        IReadOnlyList<float[]> images, IReadOnlyList<int> labels, int hidden, int classes, ScalarType dtype = ScalarType.Float32)
    {
        using var scope = NewDisposeScope();
        var size = images[0].Length;
        Layout = LayoutOf(size, hidden, classes);
        Dtype = dtype;
        ExampleCount = images.Count;
        _images = scope.Detach(TensorMemory.Of([.. images.SelectMany(static image => image)], [images.Count, size]).to(dtype).clone());
        _labels = scope.Detach(TensorMemory.Of([.. labels.Select(static label => (long)label)], [labels.Count, 1]));
    }

    public ParameterLayout Layout { get; }

    public ScalarType Dtype { get; }

    public Device Device => CPU;

    public int ExampleCount { get; }

    /// <summary>
    /// theta_0 [N] as torch.nn.Linear draws it, weights and biases uniform within 1 / sqrt(inputs); in the current dispose scope.
    /// </summary>
    public Tensor Start(long seed)
    {
        using var scope = NewDisposeScope();
        var drawn = Layout.Slots.Select(slot =>
        {
            var random = StableRandom.For(seed, "start", slot.Name);
            var layer = slot.Name.Split('.')[0];
            var inputs = Layout.Slots.Single(other => other.Name == $"{layer}.weight").Shape[1];
            var bound = 1 / Math.Sqrt(inputs);
            return TensorMemory.Of([.. Enumerable.Range(0, (int)slot.Length).Select(_ => bound * ((2 * random.NextDouble()) - 1))]).to(Dtype);
        });
        return scope.MoveToOuter(Layout.Join([.. drawn]));
    }

    public Tensor Losses(IReadOnlyList<Tensor> parameters, IReadOnlyList<int> examples, StepNoise? noise = null)
    {
        var chosen = TensorMemory.Of([.. examples.Select(static example => (long)example)]);
        return -Logits(parameters, chosen).log_softmax(1).gather(1, _labels.index_select(0, chosen)).squeeze(1);
    }

    public double Weight(int example) => 1;

    /// <summary>log p(y_i | x_i) of every example, in nats.</summary>
    public double[] LogLikelihoods(Tensor theta)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var losses = Losses(Layout.Split(theta), [.. Enumerable.Range(0, ExampleCount)]);
        return (-losses).to(float64).ToArray<double>();
    }

    /// <summary>The likeliest class of every example.</summary>
    public int[] Predictions(Tensor theta)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        return Array.ConvertAll(Logits(Layout.Split(theta), TensorMemory.Of([.. Enumerable.Range(0, ExampleCount).Select(i => (long)i)])).argmax(1).ToArray<long>(), label => (int)label);
    }

    public void Dispose()
    {
        _images.Dispose();
        _labels.Dispose();
    }

    private Tensor Logits(IReadOnlyList<Tensor> parameters, Tensor examples)
    {
        var hidden = nn.functional.relu(nn.functional.linear(_images.index_select(0, examples), parameters[0], parameters[1]));
        return nn.functional.linear(hidden, parameters[2], parameters[3]);
    }

    private static ParameterLayout LayoutOf(long size, long hidden, long classes) => new(
    [
        ("layer1.weight", (IReadOnlyList<long>)[hidden, size]),
        ("layer1.bias", [hidden]),
        ("layer2.weight", [classes, hidden]),
        ("layer2.bias", [classes]),
    ]);
}
