namespace LlmStageAudit.Records.Plans;

/// <summary>The effect that a job is expected to confirm.</summary>
public sealed record ExpectedEffect
{
    public required string Metric { get; init; }

    public required double Estimate { get; init; }

    /// <summary>Lower end of the interval.</summary>
    public double? Low { get; init; }

    /// <summary>Upper end.</summary>
    public double? High { get; init; }

    /// <summary>The gradient source that it was estimated with.</summary>
    public required string Gradient { get; init; }
}
