namespace LlmStageAudit.Records.Configuration;

/// <summary>Which LoRA adapter is trained. What is null here comes from <see cref="InitFrom"/>, then from <see cref="Recipe"/>.</summary>
public sealed record AdapterSection
{
    /// <summary>Folder with an adapter_config.json and no weights, absolute.</summary>
    public string? Recipe { get; init; }

    /// <summary>PEFT adapter folder to start from, absolute.</summary>
    public string? InitFrom { get; init; }

    /// <summary>r, the inner dimension of every low-rank pair.</summary>
    public int? Rank { get; init; }

    /// <summary>Numerator of the scale of the low-rank product.</summary>
    public double? Alpha { get; init; }

    /// <summary>Scale by alpha / sqrt(rank) in place of alpha / rank.</summary>
    public bool? UseRslora { get; init; }

    /// <summary>Probability with which an input of the low-rank layers is zeroed in training.</summary>
    public double? Dropout { get; init; }

    /// <summary>Linear layers that get a low-rank pair: names or their ends as in PEFT, or "all-linear" alone.</summary>
    public IReadOnlyList<string>? TargetModules { get; init; }

    /// <summary>Modules trained in full and saved beside the adapter, such as a classification head.</summary>
    public IReadOnlyList<string>? ModulesToSave { get; init; }
}
