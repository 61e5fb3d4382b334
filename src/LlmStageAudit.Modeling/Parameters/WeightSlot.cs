namespace LlmStageAudit.Modeling.Parameters;

/// <summary>A linear layer LoRA can be put on, by its name in Hugging Face checkpoints, with its input and output features.</summary>
internal sealed record LinearModule(string Name, long In, long Out, bool HasBias);

/// <summary>How a weight starts where a model is trained from nothing.</summary>
internal enum WeightInit
{
    Normal,
    Zeros,
    Ones,
}

/// <summary>A weight the architecture has, by its name on disk.</summary>
internal sealed record WeightSlot(string Name, IReadOnlyList<long> Shape, WeightInit Init)
{
    /// <summary>Elements: the product of the shape.</summary>
    public long Length => Shape.Aggregate(1L, (product, extent) => product * extent);
}
