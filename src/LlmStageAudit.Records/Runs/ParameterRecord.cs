namespace LlmStageAudit.Records.Runs;

/// <summary>A trainable tensor, in the order in which the flat parameter vector and every logged gradient hold them.</summary>
public sealed record ParameterRecord
{
    public required string Name { get; init; }

    public required IReadOnlyList<long> Shape { get; init; }
}
