namespace LlmStageAudit.Checkpoints.Safetensors;

/// <summary>A named float32 tensor in managed memory, row-major.</summary>
public sealed record HostTensor(string Name, IReadOnlyList<long> Shape, ReadOnlyMemory<float> Values)
{
    /// <summary>Name and shape without the values.</summary>
    public TensorOutline Outline => new(Name, Shape);
}

/// <summary>Name and shape of a tensor whose values come later, one tensor at a time.</summary>
public sealed record TensorOutline(string Name, IReadOnlyList<long> Shape);
