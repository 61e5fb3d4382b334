using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Rankings;

/// <summary>Stages ordered by how much each raised the model's reliance on a confounder.</summary>
public sealed record RankingArtifact : IArtifact<RankingArtifact>
{
    public static string KindName => "ranking";

    public static int CurrentSchemaVersion => 1;

    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    public string Kind { get; init; } = KindName;

    public required string RunId { get; init; }

    /// <summary>The run's folder.</summary>
    public required string Run { get; init; }

    public required DateTime CreatedUtc { get; init; }

    /// <summary>The identity column.</summary>
    public required string Confounder { get; init; }

    public required ProbeReference Probe { get; init; }

    public required string EffectsPath { get; init; }

    /// <summary>Highest score first.</summary>
    public IReadOnlyList<RankedStage> Ranking { get; init; } = [];

    /// <summary>What a reader must know to use it, in sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    string? IArtifact<RankingArtifact>.Fault() => RecordRules.RunId(RunId) ?? Probe.Fault();
}
