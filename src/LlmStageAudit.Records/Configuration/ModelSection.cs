using System.Text.Json.Serialization;

namespace LlmStageAudit.Records.Configuration;

/// <summary>The base model, and what it is trained for.</summary>
public sealed record ModelSection
{
    /// <summary>The Hugging Face model folder, absolute.</summary>
    public required string Path { get; init; }

    /// <summary>Decides head and loss.</summary>
    public required ModelTask Task { get; init; }

    /// <summary>Number of classes of the head; has no meaning for <see cref="ModelTask.CausalLm"/>.</summary>
    public int Labels { get; init; } = 2;

    /// <summary>Longest text in tokens, the rest is cut; null: the model's own limit.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Where the base weights come from; pretrained where nothing is said.</summary>
    public ModelWeights Weights { get; init; } = ModelWeights.Pretrained;

    /// <summary>What random base weights are drawn from; null: the run's seed.</summary>
    public long? Seed { get; init; }

    /// <summary>What the frozen base computes in; float32 where nothing is said.</summary>
    public ModelDtype Dtype { get; init; } = ModelDtype.Float32;
}

/// <summary>What the model's head does, and with it what the loss is.</summary>
public enum ModelTask
{
    /// <summary>One label per text: cross-entropy over the head's classes.</summary>
    SequenceClassification,

    /// <summary>The next token: cross-entropy over the vocabulary.</summary>
    CausalLm,
}

/// <summary>Where the base weights come from.</summary>
public enum ModelWeights
{
    /// <summary>The model folder's safetensors files.</summary>
    Pretrained,

    /// <summary>Drawn from a seed; the model folder needs a config.json only.</summary>
    Random,
}

/// <summary>What the frozen base computes in. The trainable state and its gradients are float32 whatever it is.</summary>
public enum ModelDtype
{
    /// <summary>IEEE single precision.</summary>
    [JsonStringEnumMemberName("float32")]
    Float32,

    /// <summary>Half the memory: the exponent of float32 with 8 bits of precision.</summary>
    [JsonStringEnumMemberName("bfloat16")]
    BFloat16,
}

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
