using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Seals;

/// <summary>
/// What a run's folder must hold, to the byte: a history of seals, one from the start, one from each stage's end and one from the
/// run's end, each chained to the one before. Its own file has one spelling only; any other byte in it is a change.
/// </summary>
public sealed record RunSeal : IArtifact<RunSeal>
{
    /// <inheritdoc/>
    public static string KindName => "seal";

    /// <inheritdoc/>
    public static int CurrentSchemaVersion => 1;

    /// <inheritdoc/>
    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    /// <inheritdoc/>
    public string Kind { get; init; } = KindName;

    /// <summary>The run that is sealed; a digest of it begins the chain.</summary>
    public required string RunId { get; init; }

    /// <summary>How many seals the history holds.</summary>
    public required int Sequence { get; init; }

    /// <summary>Oldest first.</summary>
    public required IReadOnlyList<SealEntry> Seals { get; init; }

    /// <summary>Of this record as JSON on one line without this field; lower-case hexadecimal.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Whether the last seal is that of the run's end.</summary>
    internal bool IsFinal() => Seals.Count > 0 && Seals[^1].Scope == SealScope.Run;
}
