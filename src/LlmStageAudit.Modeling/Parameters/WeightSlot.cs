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

/// <summary>What an adapter may find in a model, by the names that modules have in Hugging Face's classes.</summary>
/// <param name="Linear">The linear layers of the blocks, which LoRA can be put on.</param>
/// <param name="Trunk">Every weight but the head's.</param>
/// <param name="Embedding">The token embedding.</param>
/// <param name="Head">What the final hidden states are multiplied with: the embedding where the head is tied to it.</param>
/// <param name="HeadNames">What the head's module is called; more than one where versions of transformers differ.</param>
internal sealed record ModelModules(
    IReadOnlyList<LinearModule> Linear,
    IReadOnlyList<WeightSlot> Trunk,
    WeightSlot Embedding,
    WeightSlot Head,
    IReadOnlyList<string> HeadNames)
{
    /// <summary>Whether the head has no weight of its own.</summary>
    public bool TiesHead => Head == Embedding;

    /// <summary>Every module with a weight, and those made of such, that is no linear layer of a block; and what it is.</summary>
    public IEnumerable<(string Name, string Kind)> Others()
    {
        var linear = Linear.Select(module => module.Name).ToHashSet();
        // The embedding comes first.
        var weighty = Trunk.Select(slot => ModuleOf(slot.Name)).Distinct().ToArray();
        yield return (ModuleOf(Embedding.Name), "the embedding");
        foreach (var name in HeadNames) yield return (name, "the head");
        foreach (var name in weighty.Skip(1).Where(name => !linear.Contains(name))) yield return (name, "a norm");
        foreach (var name in weighty.SelectMany(Containers).Distinct()) yield return (name, "a block of modules");
    }

    /// <summary>The module a weight or a bias belongs to.</summary>
    public static string ModuleOf(string weightName) => weightName[..weightName.LastIndexOf('.')];

    private static IEnumerable<string> Containers(string name)
    {
        for (var dot = name.LastIndexOf('.'); dot > 0; dot = name.LastIndexOf('.', dot - 1)) yield return name[..dot];
    }
}
