using LlmStageAudit.Records.Progress;
using LlmStageAudit.Training.Optimizers;

namespace LlmStageAudit.Attribution.Resuming;

/// <summary>
/// What a walk carries from step to step, as named lists of doubles: every float32 or bfloat16 value is one exactly, so that tensors
/// come back bit for bit.
/// </summary>
internal sealed class WalkState
{
    private readonly string _path;
    private readonly Dictionary<string, double[]> _values;

    internal WalkState(string path, Dictionary<string, double[]> values) => (_path, _values) = (path, values);

    internal IReadOnlyDictionary<string, double[]> Values => _values;

    public bool Has(string name) => _values.ContainsKey(name);

    public void Put(string name, double[] values) => _values.Add(name, values);

    public void Put(string name, Tensor value)
    {
        using var scope = NewDisposeScope();
        _values.Add(name, value.to(float64).cpu().ToArray<double>());
    }

    internal void Put(string name, OptimizerState state) => Put(name, state.Theta, state.Buffers, state.Steps);

    internal void Put(string name, StatePerturbation state) => Put(name, state.Theta, state.Buffers, state.Steps);

    /// <summary>Numbers as they were put.</summary>
    /// <exception cref="ProgressException">It was not put, or not with so many values.</exception>
    public double[] Numbers(string name, int? count = null) =>
        _values.TryGetValue(name, out var found) && found.Length == (count ?? found.Length)
            ? found
            : throw ProgressException.Missing(_path, name);

    public double Number(string name) => Numbers(name, 1)[0];

    /// <summary>A tensor as it was put; it belongs to no scope.</summary>
    /// <param name="name">Under what name it was put.</param>
    /// <param name="like">Says its type and device, and its size [N].</param>
    public Tensor Tensor(string name, Tensor like)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        return scope.Detach(TensorMemory.Of(Numbers(name, (int)like.numel())).to(like.dtype).to(like.device).clone());
    }

    /// <summary>An optimizer state as it was put; it belongs to no scope.</summary>
    /// <param name="name">Under what name it was put.</param>
    /// <param name="like">Of the same optimizer.</param>
    internal OptimizerState State(string name, OptimizerState like) =>
        new(Tensor(Theta(name), like.Theta), Buffers(name, like), (int)Number(Steps(name)));

    /// <summary>A perturbation as it was put; it belongs to no scope.</summary>
    /// <param name="name">Under what name it was put.</param>
    /// <param name="like">A state of the optimizer whose perturbation it is.</param>
    internal StatePerturbation Perturbation(string name, OptimizerState like) =>
        new(Tensor(Theta(name), like.Theta), Buffers(name, like), Number(Steps(name)));

    private void Put(string name, Tensor theta, IReadOnlyList<Tensor> buffers, double steps)
    {
        Put(Theta(name), theta);
        foreach (var (i, buffer) in buffers.Index()) Put(Buffer(name, i), buffer);
        Put(Steps(name), [steps]);
    }

    private Tensor[] Buffers(string name, OptimizerState like) => [.. like.Buffers.Select((buffer, i) => Tensor(Buffer(name, i), buffer))];

    internal static string Theta(string name) => name + ".theta";

    private static string Buffer(string name, int i) => $"{name}.buffer-{i}";

    private static string Steps(string name) => name + ".steps";
}
