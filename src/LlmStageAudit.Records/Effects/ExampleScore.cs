namespace LlmStageAudit.Records.Effects;

/// <summary>What one model makes of one probe row.</summary>
public sealed record ExampleScore
{
    public required string Id { get; init; }

    /// <summary>The performance function.</summary>
    public required double Value { get; init; }

    /// <summary>In nats: of the label, or the sum over predicted tokens.</summary>
    public required double LogLikelihood { get; init; }

    /// <summary>One per class; null for causal models.</summary>
    public IReadOnlyList<double>? Logits { get; init; }

    /// <summary>The class; null for causal models.</summary>
    public int? Label { get; init; }
}
