using System.Text.Json.Serialization;

namespace LlmStageAudit.Records.Configuration;

/// <summary>An optimizer map's hyper-parameters, with PyTorch's meaning.</summary>
public sealed record OptimizerSection
{
    /// <summary>The map that the other values belong to.</summary>
    public required OptimizerName Name { get; init; }

    /// <summary>The schedule's peak.</summary>
    public required double LearningRate { get; init; }

    /// <summary>SGD only.</summary>
    public double Momentum { get; init; }

    /// <summary>Added to the gradient by SGD, decoupled in AdamW.</summary>
    public double WeightDecay { get; init; }

    /// <summary>AdamW only: decay of the mean of gradients, from 0 and below 1.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW only: decay of the mean of squared gradients, from 0 and below 1.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>AdamW only: added to the root of the mean square, above 0.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Largest Euclidean norm of the whole gradient; null: not clipped.</summary>
    public double? ClipNorm { get; init; }
}

/// <summary>The optimizer maps that can be trained with and replayed.</summary>
public enum OptimizerName
{
    /// <summary>Stochastic gradient descent, with momentum where it is not 0.</summary>
    Sgd,

    /// <summary>Adam with decoupled weight decay (Loshchilov and Hutter 2019).</summary>
    [JsonStringEnumMemberName("adamw")]
    AdamW,
}
