using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Effects;

/// <summary>The effect of every stage of a run (or step, or example) on a probe, and how it was estimated.</summary>
public sealed record EffectsArtifact : IArtifact<EffectsArtifact>
{
    /// <summary>The method where some effects are screened and others settled; each effect says which.</summary>
    public const string Certified = "certified";

    public static string KindName => "effects";

    public static int CurrentSchemaVersion => 1;

    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    public string Kind { get; init; } = KindName;

    public required string RunId { get; init; }

    /// <summary>The run's folder.</summary>
    public required string Run { get; init; }

    public required ProbeReference Probe { get; init; }

    /// <summary>replay, adjoint, a baseline, or <see cref="Certified"/>.</summary>
    public required string Method { get; init; }

    /// <summary>Gradient source of a replay: recorded, linear, midpoint, sampled or exact; null for other methods.</summary>
    public string? Gradient { get; init; }

    /// <summary>Share of the batch that <c>sampled</c> draws.</summary>
    public double? Rho { get; init; }

    /// <summary>stage, step or example.</summary>
    public required string Level { get; init; }

    /// <summary>stage or steps.</summary>
    public required string Treatment { get; init; }

    /// <summary>The performance function.</summary>
    public required string Metric { get; init; }

    public IReadOnlyList<string> Groups { get; init; } = [];

    public required DateTime CreatedUtc { get; init; }

    public double AttributeSeconds { get; init; }

    /// <summary>Cost in gradients of one batch.</summary>
    public double GradientEquivalents { get; init; }

    /// <summary>What was certified of the ranking and what it cost; null where there was no budget.</summary>
    public Certification? Certification { get; init; }

    /// <summary>The model as trained.</summary>
    public required ProbeScores Observed { get; init; }

    public IReadOnlyList<StageEffect> Effects { get; init; } = [];

    string? IArtifact<EffectsArtifact>.Fault() =>
        RecordRules.RunId(RunId)
        ?? Probe.Fault()
        ?? Observed.Fault("observed")
        ?? RecordRules.First(Effects, effect =>
            (effect.FirstStep is < 1 || effect.LastStep < effect.FirstStep ? $"effects: steps {effect.FirstStep} to {effect.LastStep}" : null)
            ?? (effect.Evidence is { } evidence ? RecordRules.Count("effects: checks", evidence.Checks) : null)
            ?? effect.Counterfactual?.Fault("effects: counterfactual"));
}
