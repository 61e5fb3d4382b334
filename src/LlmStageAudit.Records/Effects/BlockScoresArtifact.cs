using System.Text.Json.Nodes;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Effects;

/// <summary>
/// The effects of all sets of consecutive steps of a run on a probe, kept from one sweep so that any later partition of the run
/// is answered without another: effect of steps a..b = after[b] - before[b][a].
/// </summary>
public sealed record BlockScoresArtifact : RunArtifact<BlockScoresArtifact>, IArtifact<BlockScoresArtifact>
{
    /// <inheritdoc/>
    public static string KindName => "block-scores";

    /// <inheritdoc/>
    public static int CurrentSchemaVersion => 2;

    /// <summary>The probe that was swept.</summary>
    public required ProbeReference Probe { get; init; }

    /// <summary>The performance function, averaged over probe rows.</summary>
    public required string Metric { get; init; }

    /// <summary>What swept.</summary>
    public required Estimator Estimator { get; init; }

    /// <summary>When the record was made, UTC.</summary>
    public required DateTime CreatedUtc { get; init; }

    /// <summary>Per step b, from the first: lambda_b . s_b, states taken less the run's first parameters.</summary>
    public required IReadOnlyList<double> After { get; init; }

    /// <summary>Per step b, for every step a up to it: lambda_b . s_{a-1}.</summary>
    public required IReadOnlyList<IReadOnlyList<double>> Before { get; init; }

    /// <summary>The grade of the sweep's scores.</summary>
    public required TrustGrade Trust { get; init; }

    /// <summary>What <see cref="Trust"/> rests on.</summary>
    public required TrustEvidence Evidence { get; init; }

    /// <summary>The first schema graded by another calibration.</summary>
    static void IArtifact<BlockScoresArtifact>.Upgrade(JsonObject old, int schemaVersion) => OlderGrades.Upgrade(old);

    string? IArtifact<BlockScoresArtifact>.Fault() =>
        RecordRules.RunId(RunId)
        ?? Probe.Fault()
        ?? (Before.Count != After.Count
            ? $"before: {Before.Count} rows for {After.Count} steps"
            : RecordRules.First(Before.Index(), row =>
                row.Item.Count == row.Index + 1 ? null : $"before: {row.Item.Count} values in row {row.Index + 1}"));
}
