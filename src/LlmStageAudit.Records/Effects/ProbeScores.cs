using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Effects;

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
