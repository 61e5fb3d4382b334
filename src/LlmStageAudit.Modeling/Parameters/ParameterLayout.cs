namespace LlmStageAudit.Modeling.Parameters;

/// <summary>One named tensor's place in the flat parameter vector.</summary>
/// <param name="Name">The name it is saved under (PEFT key, or Hugging Face weight name in full training).</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Offset">Its first element in the vector.</param>
public sealed record ParameterSlot(string Name, IReadOnlyList<long> Shape, long Offset)
{
    /// <summary>Elements: the product of the shape.</summary>
    public long Length { get; } = Shape.Aggregate(1L, (product, extent) => product * extent);

    /// <summary>The module the parameter belongs to: its name without the last part; the two sides of a LoRA pair share one.</summary>
    public string Layer
    {
        get
        {
            var module = Name[..Math.Max(0, Name.LastIndexOf('.'))];
            return module.EndsWith(".lora_A", StringComparison.Ordinal) || module.EndsWith(".lora_B", StringComparison.Ordinal)
                ? module[..module.LastIndexOf('.')]
                : module;
        }
    }
}

/// <summary>
/// How the trainable subset, and nothing else, lies in one flat vector of N elements: slots in a fixed order, row-major,
/// without gaps. States, gradients and perturbations all have this layout.
/// </summary>
public sealed class ParameterLayout
{
    /// <summary>Lays parameters behind one another in the order given.</summary>
    /// <param name="parameters">Name and shape of each.</param>
    public ParameterLayout(IEnumerable<(string Name, IReadOnlyList<long> Shape)> parameters)
    {
        var slots = new List<ParameterSlot>();
        foreach (var (name, shape) in parameters)
        {
            var slot = new ParameterSlot(name, shape, Count);
            slots.Add(slot);
            Count += slot.Length;
        }

        Slots = slots;
    }

    /// <summary>In the order of the vector.</summary>
    public IReadOnlyList<ParameterSlot> Slots { get; }

    /// <summary>N, the elements of the flat vector.</summary>
    public long Count { get; }

    /// <summary>Views of the flat vector [N], one per slot, in the slots' shapes; they share its storage.</summary>
    public Tensor[] Split(Tensor flat) =>
        [.. Slots.Select(slot => flat.narrow(0, slot.Offset, slot.Length).view([.. slot.Shape]))];

    /// <summary>The flat vector [N] of one tensor per slot: a copy.</summary>
    public Tensor Join(IReadOnlyList<Tensor> tensors) => cat([.. tensors.Select(tensor => tensor.reshape(-1))]);

    /// <summary>Views of R flat vectors [R, N], one per slot, in the slots' shapes after a leading R; they share its storage.</summary>
    internal Tensor[] SplitRows(Tensor flats) =>
        [.. Slots.Select(slot => flats.narrow(1, slot.Offset, slot.Length).view([flats.size(0), .. slot.Shape]))];

    /// <summary>The R flat vectors [R, N] of one tensor per slot, each with a leading R: a copy.</summary>
    internal Tensor JoinRows(IReadOnlyList<Tensor> tensors) => cat([.. tensors.Select(tensor => tensor.reshape(tensor.size(0), -1))], 1);
}
