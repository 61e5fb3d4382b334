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

    public IReadOnlyList<GroupScores> Groups { get; init; } = [];

    internal string? Fault(string where) =>
        RecordRules.First(Groups, group => RecordRules.Count($"{where}.groups: examples", group.Examples));
}
