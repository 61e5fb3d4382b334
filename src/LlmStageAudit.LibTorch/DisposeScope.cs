namespace LlmStageAudit.LibTorch;

/// <summary>
/// Collects the tensors a thread creates while the scope is the innermost one, and disposes them with itself. What is
/// to live on is moved out first. Scopes nest and are disposed in reverse order, on the thread that made them.
/// </summary>
public sealed class DisposeScope : IDisposable
{
    [ThreadStatic]
    private static DisposeScope? s_current;

    private readonly HashSet<torch.Tensor> _tensors = new(ReferenceEqualityComparer.Instance);
    private readonly DisposeScope? _outer;

    internal DisposeScope()
    {
        _outer = s_current;
        s_current = this;
    }

    internal static DisposeScope? Current => s_current;

    /// <summary>Hands a tensor to the scope around this one (or to nobody, where there is none) and returns it.</summary>
    public torch.Tensor MoveToOuter(torch.Tensor tensor)
    {
        if (_tensors.Remove(tensor)) _outer?.Include(tensor);
        return tensor;
    }

    /// <summary>Takes charge of a tensor that belongs to nobody and returns it.</summary>
    public torch.Tensor Adopt(torch.Tensor tensor)
    {
        Include(tensor);
        return tensor;
    }

    /// <summary>Takes a tensor out of this scope: from now on its holder disposes it.</summary>
    public torch.Tensor Detach(torch.Tensor tensor)
    {
        _tensors.Remove(tensor);
        return tensor;
    }

    public void Dispose()
    {
        if (!ReferenceEquals(s_current, this))
            throw new InvalidOperationException("Dispose scopes end in reverse order of their beginning, on the same thread.");
        s_current = _outer;
        foreach (var tensor in _tensors) tensor.Release();
        _tensors.Clear();
    }

    internal void Include(torch.Tensor tensor)
    {
        tensor.Scope = this;
        _tensors.Add(tensor);
    }

    internal void Forget(torch.Tensor tensor) => _tensors.Remove(tensor);
}
