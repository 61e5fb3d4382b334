using System.Text.Json.Nodes;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Rankings;

/// <summary>Stages ordered by how much each raised the model's reliance on a confounder.</summary>
public sealed record RankingArtifact : IArtifact<RankingArtifact>
{
    /// <inheritdoc/>
    public static string KindName => "ranking";

    /// <inheritdoc/>
    public static int CurrentSchemaVersion => 2;

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

    /// <summary>The rows behind every score, label by label; empty in files written before they were counted.</summary>
    public IReadOnlyList<GapCell> Cells { get; init; } = [];

    /// <summary>With fewer rows in a cell nothing is called significant or not; 0 in files written before that.</summary>
    public int LeastRows { get; init; }

    /// <summary>Highest score first.</summary>
    public IReadOnlyList<RankedStage> Ranking { get; init; } = [];

    /// <summary>What a reader must know to use it, in sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The first schema knew yes and no.</summary>
    static void IArtifact<RankingArtifact>.Upgrade(JsonObject old, int schemaVersion)
    {
        foreach (var stage in old["ranking"]?.AsArray() ?? [])
            stage!["significant"] = (bool)stage["significant"]! ? "yes" : "no";
    }

    string? IArtifact<RankingArtifact>.Fault() => RecordRules.RunId(RunId)
        ?? Probe.Fault()
        ?? RecordRules.First(Cells, cell => RecordRules.Count("cells: members", cell.Members) ?? RecordRules.Count("cells: others", cell.Others));
}

/// <summary>The probe rows of one label.</summary>
public sealed record GapCell
{
    /// <summary>The class; 0 for causal models.</summary>
    public required int Label { get; init; }

    /// <summary>Rows in the group.</summary>
    public required int Members { get; init; }

    /// <summary>Rows known to be outside it.</summary>
    public required int Others { get; init; }
}
