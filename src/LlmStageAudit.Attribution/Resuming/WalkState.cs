using LlmStageAudit.Records.Progress;
using LlmStageAudit.Training.Optimizers;

namespace LlmStageAudit.Attribution.Resuming;

/// <summary>
/// What a walk carries from step to step, as named lists of doubles: every float32 or bfloat16 value is one exactly, so that tensors
/// come back bit for bit.
/// </summary>
internal sealed class WalkState(string path, Dictionary<string, double[]> values)
{
    public IReadOnlyDictionary<string, double[]> Values => values;

    public bool Has(string name) => values.ContainsKey(name);

    public void Put(string name, double[] numbers) => values.Add(name, numbers);

    public void Put(string name, Tensor value)
    {
        using var scope = NewDisposeScope();
        values.Add(name, value.to(float64).cpu().ToArray<double>());
    }

    public void Put(string name, OptimizerState state) => Put(name, state.Theta, state.Buffers, state.Steps);

    public void Put(string name, StatePerturbation state) => Put(name, state.Theta, state.Buffers, state.Steps);

    /// <summary>Numbers as they were put.</summary>
    /// <exception cref="ProgressException">It was not put, or not with so many values.</exception>
    public double[] Numbers(string name, int? count = null) =>
        values.TryGetValue(name, out var found) && found.Length == (count ?? found.Length)
            ? found
            : throw ProgressException.Missing(path, name);

    public double Number(string name) => Numbers(name, 1)[0];

    /// <summary>A tensor as it was put, of the type, device and size [N] of another; it belongs to no scope.</summary>
    public Tensor Tensor(string name, Tensor like)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        return scope.Detach(TensorMemory.Of(Numbers(name, (int)like.numel())).to(like.dtype).to(like.device).clone());
    }

    /// <summary>As it was put, of the optimizer of another state; it belongs to no scope.</summary>
    public OptimizerState State(string name, OptimizerState like) =>
        new(Tensor(Theta(name), like.Theta), Buffers(name, like), (int)Number(Steps(name)));

    /// <summary>As it was put, of a state's optimizer; it belongs to no scope.</summary>
    public StatePerturbation Perturbation(string name, OptimizerState like) =>
        new(Tensor(Theta(name), like.Theta), Buffers(name, like), Number(Steps(name)));

    private void Put(string name, Tensor theta, IReadOnlyList<Tensor> buffers, double steps)
    {
        Put(Theta(name), theta);
        foreach (var (i, buffer) in buffers.Index()) Put(Buffer(name, i), buffer);
        Put(Steps(name), [steps]);
    }

    private Tensor[] Buffers(string name, OptimizerState like) => [.. like.Buffers.Select((buffer, i) => Tensor(Buffer(name, i), buffer))];

    public static string Theta(string name) => name + ".theta";

    private static string Buffer(string name, int i) => $"{name}.buffer-{i}";

    private static string Steps(string name) => name + ".steps";
}
