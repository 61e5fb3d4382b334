using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Rankings;

/// <summary>Stages ordered by how much each raised the model's reliance on a confounder.</summary>
public sealed record RankingArtifact : IArtifact<RankingArtifact>
{
    /// <inheritdoc/>
    public static string KindName => "ranking";

    /// <inheritdoc/>
    public static int CurrentSchemaVersion => 1;

    /// <inheritdoc/>
    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    /// <inheritdoc/>
    public string Kind { get; init; } = KindName;

    /// <summary>Id of the run it is about: 32 hexadecimal digits.</summary>
    public required string RunId { get; init; }

    /// <summary>The run's folder.</summary>
    public required string Run { get; init; }

    /// <summary>When the record was made, UTC.</summary>
    public required DateTime CreatedUtc { get; init; }

    /// <summary>The identity column.</summary>
    public required string Confounder { get; init; }

    /// <summary>The probe that gaps are measured on.</summary>
    public required ProbeReference Probe { get; init; }

    /// <summary>The file of the effects that were ranked.</summary>
    public required string EffectsPath { get; init; }

    /// <summary>Which effects those are; null in files written before that was recorded.</summary>
    public ResultIdentity? Effects { get; init; }

    /// <summary>Highest score first.</summary>
    public IReadOnlyList<RankedStage> Ranking { get; init; } = [];

    /// <summary>What a reader must know to use it, in sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    string? IArtifact<RankingArtifact>.Fault() => RecordRules.RunId(RunId) ?? Probe.Fault();
}
