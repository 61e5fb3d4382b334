using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using LlmStageAudit.Foundation.Errors;
using LlmStageAudit.Records.Choices;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Effects;

/// <summary>The effect of every stage of a run (or step, or example) on a probe, and how it was estimated.</summary>
public sealed record EffectsArtifact : RunArtifact<EffectsArtifact>, IArtifact<EffectsArtifact>
{
    /// <inheritdoc/>
    public static string KindName => "effects";

    /// <inheritdoc/>
    public static int CurrentSchemaVersion => 3;

    /// <summary>The run's folder.</summary>
    public required string Run { get; init; }

    /// <summary>The probe that effects are on.</summary>
    public required ProbeReference Probe { get; init; }

    /// <summary>How effects were estimated; null under a budget, where each effect says whether it was screened or settled.</summary>
    public Estimator? Estimator { get; init; }

    /// <summary>What was left out, an effect each.</summary>
    public required Treatment Treatment { get; init; }

    /// <summary>The performance function.</summary>
    public required string Metric { get; init; }

    /// <summary>Version of the program that computed them; null in files written before that was recorded.</summary>
    public string? ToolVersion { get; init; }

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

    /// <summary>What makes the effects other than they may be taken for.</summary>
    public IReadOnlyList<Warning> Warnings { get; init; } = [];

    /// <summary>replay, adjoint, a baseline; certified where a budget was spent.</summary>
    [JsonIgnore]
    public string Method => Estimator?.Method ?? "certified";

    /// <summary>The gradient source of a replay; null for other methods.</summary>
    [JsonIgnore]
    public string? Gradient => Estimator is Estimator.Replay { Source.Name: var source } ? source : null;

    /// <summary>In a word: <see cref="Gradient"/>, else <see cref="Method"/>.</summary>
    [JsonIgnore]
    public string Source => Gradient ?? Method;

    /// <summary>Which question these effects answer, and by what.</summary>
    [JsonIgnore]
    public ResultIdentity Identity => new(RunId, Probe.Sha256, Metric, Treatment, Probe.DefinitionSha256, Estimator, ToolVersion);

    /// <summary>
    /// The first schema had the estimator in parts, and the level beside the treatment; the second graded by another calibration.
    /// </summary>
    static void IArtifact<EffectsArtifact>.Upgrade(JsonObject old, int schemaVersion)
    {
        foreach (var effect in old["effects"]?.AsArray() ?? []) OlderGrades.Upgrade(effect);
        if (schemaVersion > 1) return;
        var (method, level) = ((string?)old["method"], (string?)old["level"]);
        var share = (double?)old["rho"] is { } rho ? string.Create(CultureInfo.InvariantCulture, $"-{rho}") : "";
        if (method is not "certified") old["estimator"] = $"{method}{((string?)old["gradient"] is { } source ? $"-{source}" : "")}{share}";
        if (level is not "stage") old["treatment"] = level;
    }

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

/// <summary>What a result answers, and by what: two of one identity say the same. It is what results are found by.</summary>
/// <param name="RunId">The run.</param>
/// <param name="ProbeSha256">The probe's data.</param>
/// <param name="Metric">The performance function.</param>
/// <param name="Treatment">What was left out.</param>
/// <param name="ProbeDefinition">Hash of what the probe's file says; null where that was not recorded.</param>
/// <param name="Estimator">How effects were estimated; null where a budget was spent.</param>
/// <param name="ToolVersion">Of the program that computed; null where that was not recorded.</param>
public sealed record ResultIdentity(
    string RunId,
    string ProbeSha256,
    string Metric,
    Treatment Treatment,
    string? ProbeDefinition = null,
    Estimator? Estimator = null,
    string? ToolVersion = null)
{
    /// <summary>
    /// Whether the other answers the same question, perhaps by another estimator or program; a definition that was not recorded is taken
    /// to be the same.
    /// </summary>
    public bool AsksTheSame(ResultIdentity other) => this with
    {
        Estimator = other.Estimator,
        ToolVersion = other.ToolVersion,
        ProbeDefinition = ProbeDefinition is null || other.ProbeDefinition is null ? other.ProbeDefinition : ProbeDefinition,
    } == other;

    /// <summary>Whether the other answers the same question by the same estimator, perhaps in another program.</summary>
    public bool IsTheSame(ResultIdentity other) => Estimator == other.Estimator && AsksTheSame(other);
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

    /// <summary>Of what the probe's file says (columns, groups, metric); null in files written before that was recorded.</summary>
    public string? DefinitionSha256 { get; init; }

    /// <summary>Rows measured.</summary>
    public required int Examples { get; init; }

    internal string? Fault() =>
        RecordRules.Name("probe.name", Name) ?? RecordRules.Hash("probe.sha256", Sha256)
        ?? RecordRules.Hash("probe.definitionSha256", DefinitionSha256) ?? RecordRules.Count("probe.examples", Examples);
}

/// <summary>What one model makes of a whole probe.</summary>
public sealed record ProbeScores
{
    /// <summary>Of the performance function, over rows.</summary>
    public required double Mean { get; init; }

    /// <summary>In probe order.</summary>
    public IReadOnlyList<ExampleScore> Examples { get; init; } = [];

    /// <summary>Over all rows, by metric name.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>One per identity column, in the probe's order; empty where it names none.</summary>
    public IReadOnlyList<GroupScores> Groups { get; init; } = [];

    internal string? Fault(string where) =>
        RecordRules.First(Groups, group => RecordRules.Count($"{where}.groups: examples", group.Examples));
}

/// <summary>What one model makes of one probe row.</summary>
public sealed record ExampleScore
{
    /// <summary>The probe row's id.</summary>
    public required string Id { get; init; }

    /// <summary>The performance function.</summary>
    public required double Value { get; init; }

    /// <summary>In nats: of the label, or the sum over predicted tokens.</summary>
    public required double LogLikelihood { get; init; }

    /// <summary>One per class; null for causal models.</summary>
    public IReadOnlyList<double>? Logits { get; init; }

    /// <summary>The class; null for causal models.</summary>
    public int? Label { get; init; }
}

/// <summary>Group metrics of one identity. A metric that the rows do not define (one class only) is NaN.</summary>
public sealed record GroupScores
{
    /// <summary>The identity column.</summary>
    public required string Group { get; init; }

    /// <summary>Rows in the group.</summary>
    public required int Examples { get; init; }

    /// <summary>Value by metric name.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();
}
