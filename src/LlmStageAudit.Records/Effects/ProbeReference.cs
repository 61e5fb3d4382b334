using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Effects;

/// <summary>Which probe numbers belong to.</summary>
public sealed record ProbeReference
{
    public required string Name { get; init; }

    public required string Path { get; init; }

    /// <summary>Of the probe's data file; lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Rows measured.</summary>
    public required int Examples { get; init; }

    internal string? Fault() =>
        RecordRules.Name("probe.name", Name) ?? RecordRules.Hash("probe.sha256", Sha256) ?? RecordRules.Count("probe.examples", Examples);
}
