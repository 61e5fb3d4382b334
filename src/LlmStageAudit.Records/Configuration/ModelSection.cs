namespace LlmStageAudit.Records.Configuration;

public sealed record ModelSection
{
    /// <summary>The Hugging Face model folder, absolute.</summary>
    public required string Path { get; init; }

    public required ModelTask Task { get; init; }

    /// <summary>Number of classes of the head; has no meaning for <see cref="ModelTask.CausalLm"/>.</summary>
    public int Labels { get; init; } = 2;

    /// <summary>Longest text in tokens, the rest is cut; null: the model's own limit.</summary>
    public int? MaxLength { get; init; }

    public ModelWeights Weights { get; init; } = ModelWeights.Pretrained;

    public ModelDtype Dtype { get; init; } = ModelDtype.Float32;
}
