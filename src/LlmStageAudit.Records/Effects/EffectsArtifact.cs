using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Effects;

/// <summary>The effect of every stage of a run (or step, or example) on a probe, and how it was estimated.</summary>
public sealed record EffectsArtifact : IArtifact<EffectsArtifact>
{
    /// <summary>The method where some effects are screened and others settled; each effect says which.</summary>
    public const string Certified = "certified";

    /// <inheritdoc/>
    public static string KindName => "effects";

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

    /// <summary>The probe that effects are on.</summary>
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

    /// <summary>The probe's identity columns, in its order; empty where it names none.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>When the record was made, UTC.</summary>
    public required DateTime CreatedUtc { get; init; }

    /// <summary>Wall time of the attribution in seconds, all resumed parts together.</summary>
    public double AttributeSeconds { get; init; }

    /// <summary>Cost in gradients of one batch.</summary>
    public double GradientEquivalents { get; init; }

    /// <summary>What was certified of the ranking and what it cost; null where there was no budget.</summary>
    public Certification? Certification { get; init; }

    /// <summary>The model as trained.</summary>
    public required ProbeScores Observed { get; init; }

    /// <summary>One per stage, step, block of steps or example, in training order.</summary>
    public IReadOnlyList<StageEffect> Effects { get; init; } = [];

    string? IArtifact<EffectsArtifact>.Fault() =>
        RecordRules.RunId(RunId)
        ?? Probe.Fault()
        ?? Observed.Fault("observed")
        ?? RecordRules.First(Effects, effect =>
            (effect.FirstStep is < 1 || effect.LastStep < effect.FirstStep
                ? $"effects: steps {effect.FirstStep} to {effect.LastStep}"
                : null)
            ?? (effect.Evidence is { } evidence ? RecordRules.Count("effects: checks", evidence.Checks) : null)
            ?? effect.Counterfactual?.Fault("effects: counterfactual"));
}

/// <summary>Which probe numbers belong to.</summary>
public sealed record ProbeReference
{
    /// <summary>The probe's name, part of the names of its results.</summary>
    public required string Name { get; init; }

    /// <summary>The probe file, absolute.</summary>
    public required string Path { get; init; }

    /// <summary>Of the probe's data file; lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Rows measured.</summary>
    public required int Examples { get; init; }

    internal string? Fault() =>
        RecordRules.Name("probe.name", Name) ?? RecordRules.Hash("probe.sha256", Sha256) ?? RecordRules.Count("probe.examples", Examples);
}
