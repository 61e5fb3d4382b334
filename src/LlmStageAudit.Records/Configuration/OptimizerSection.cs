namespace LlmStageAudit.Records.Configuration;

/// <summary>An optimizer map's hyper-parameters, with PyTorch's meaning.</summary>
public sealed record OptimizerSection
{
    public required OptimizerName Name { get; init; }

    /// <summary>The schedule's peak.</summary>
    public required double LearningRate { get; init; }

    /// <summary>SGD only.</summary>
    public double Momentum { get; init; }

    /// <summary>Added to the gradient by SGD, decoupled in AdamW.</summary>
    public double WeightDecay { get; init; }

    public double Beta1 { get; init; } = 0.9;

    public double Beta2 { get; init; } = 0.999;

    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Largest Euclidean norm of the whole gradient; null: not clipped.</summary>
    public double? ClipNorm { get; init; }
}
