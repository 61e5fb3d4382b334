using LlmStageAudit.Modeling.Adapters;
using LlmStageAudit.Records.Configuration;

namespace LlmStageAudit.Modeling.Models;

/// <summary>How a model folder becomes a model to train or evaluate.</summary>
public sealed record LanguageModelOptions
{
    /// <summary>Which head the model gets: classes or next tokens.</summary>
    public required ModelTask Task { get; init; }

    /// <summary>Classes of the head; ignored for causal language models.</summary>
    public int Labels { get; init; } = 2;

    /// <summary>Null: all parameters train.</summary>
    public AdapterSource? Adapter { get; init; }

    /// <summary>Random starts every weight from the seed; Pretrained demands them all.</summary>
    public ModelWeights Weights { get; init; } = ModelWeights.Pretrained;

    /// <summary>
    /// Whether it is to be trained rather than evaluated only: then a classification head the folder lacks may start at random, and what
    /// acts in training alone, such as dropout in config.json, has to be supported.
    /// </summary>
    public bool ForTraining { get; init; } = true;

    /// <summary>Seed of what starts at random on top of the base: LoRA A, a missing head.</summary>
    public long Seed { get; init; }

    /// <summary>Seed of random base weights.</summary>
    public long BaseSeed { get; init; }

    /// <summary>Of the trainable state and its gradients: float32, or float64 where identities are checked.</summary>
    public ScalarType Dtype { get; init; } = float32;

    /// <summary>What the frozen base computes in, such as bfloat16; null: the state's dtype.</summary>
    public ScalarType? ComputeDtype { get; init; }

    /// <summary>Where the model lives; null: the CPU.</summary>
    public Device? Device { get; init; }
}
