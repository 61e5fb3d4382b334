using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Rankings;

/// <summary>Stages ordered by how much each raised the model's reliance on a confounder.</summary>
public sealed record RankingArtifact : RunArtifact<RankingArtifact>, IArtifact<RankingArtifact>
{
    /// <inheritdoc/>
    public static string KindName => "ranking";

    /// <inheritdoc/>
    public static int CurrentSchemaVersion => 3;

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

    /// <summary>What makes the ranking other than it may be taken for.</summary>
    public IReadOnlyList<Warning> Warnings { get; init; } = [];

    /// <summary>The first schema knew yes and no; the second graded by another calibration.</summary>
    static void IArtifact<RankingArtifact>.Upgrade(JsonObject old, int schemaVersion)
    {
        foreach (var stage in old["ranking"]?.AsArray() ?? [])
        {
            OlderGrades.Upgrade(stage);
            if (schemaVersion == 1) stage?["significant"] = (bool?)stage["significant"] == true ? "yes" : "no";
        }
    }

    string? IArtifact<RankingArtifact>.Fault() => RecordRules.RunId(RunId)
        ?? Probe.Fault()
        ?? RecordRules.First(
            Cells, cell => RecordRules.Count("cells: members", cell.Members) ?? RecordRules.Count("cells: others", cell.Others));
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

    /// <summary>Whether the label counts: one that a side lacks is left out of the gap.</summary>
    [JsonIgnore]
    public bool Counts => Members > 0 && Others > 0;
}

/// <summary>How much a stage raised the model's reliance on the confounder.</summary>
public sealed record RankedStage
{
    /// <summary>The stage's name.</summary>
    public required string Stage { get; init; }

    /// <summary>Observed less counterfactual gap; positive where the stage raised the reliance.</summary>
    public required double Score { get; init; }

    /// <summary>
    /// What screened the stage, such as recorded replay, where it was not settled by exact replay: then its score is an estimate, it
    /// has no interval (NaN), its p-value is 1 and it is never significant. Null for settled stages, and where nothing was screened.
    /// </summary>
    public Estimator? Screen { get; init; }

    /// <summary>Lower end of the interval.</summary>
    public required double Low { get; init; }

    /// <summary>Upper end.</summary>
    public required double High { get; init; }

    /// <summary>The grade of the effect it comes from; null in files written before effects were graded.</summary>
    public TrustGrade? Trust { get; init; }

    /// <summary>What the grade rests on.</summary>
    public TrustEvidence? Evidence { get; init; }

    /// <summary>
    /// Two-sided: how often as large a score comes out where membership of the group is drawn anew among rows of one label; 1 where the
    /// stage was not settled.
    /// </summary>
    public required double PValue { get; init; }

    /// <summary>After Benjamini-Hochberg over the ranking.</summary>
    public required double AdjustedPValue { get; init; }

    /// <summary>Whether <see cref="AdjustedPValue"/> is within the ranking's false discovery rate, in this run.</summary>
    public required Significance Significant { get; init; }

    /// <summary>What other seeds say; null where none was asked.</summary>
    public OverSeeds? OverSeeds { get; init; }

    /// <summary>The confounder gap of the model as trained.</summary>
    public required double ObservedGap { get; init; }

    /// <summary>The confounder gap of the model without the stage.</summary>
    public required double CounterfactualGap { get; init; }
}
