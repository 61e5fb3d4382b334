namespace LlmStageAudit.Records.Effects;

/// <summary>Group metrics of one identity. A metric that the rows do not define (one class only) is NaN.</summary>
public sealed record GroupScores
{
    public required string Group { get; init; }

    /// <summary>Rows in the group.</summary>
    public required int Examples { get; init; }

    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();
}
