using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Effects;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Rankings;

/// <summary>Stages ordered by how much each raised the model's reliance on a confounder.</summary>
public sealed record RankingArtifact : RunArtifact<RankingArtifact>, IArtifact<RankingArtifact>
{
    /// <inheritdoc/>
    public static string KindName => "ranking";

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
    public string? Trust { get; init; }

    /// <summary>What the grade rests on.</summary>
    public TrustEvidence? Evidence { get; init; }

    /// <summary>Of a score of zero, two-sided, by the bootstrap over probe rows; 1 where there is no interval.</summary>
    public required double PValue { get; init; }

    /// <summary>After Benjamini-Hochberg over the ranking.</summary>
    public required double AdjustedPValue { get; init; }

    /// <summary>Whether <see cref="AdjustedPValue"/> is within the ranking's false discovery rate.</summary>
    public required bool Significant { get; init; }

    /// <summary>The confounder gap of the model as trained.</summary>
    public required double ObservedGap { get; init; }

    /// <summary>The confounder gap of the model without the stage.</summary>
    public required double CounterfactualGap { get; init; }
}
