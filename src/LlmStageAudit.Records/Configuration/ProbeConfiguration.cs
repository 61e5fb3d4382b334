using System.Text.Json.Serialization;
using LlmStageAudit.Records.Choices;

namespace LlmStageAudit.Records.Configuration;

/// <summary>Test examples and the performance function that a run is measured by.</summary>
public sealed record ProbeConfiguration
{
    /// <summary>The key <c>name</c>, else the file's name without extension, odd characters as dashes.</summary>
    public required string Name { get; init; }

    /// <summary>The probe file itself, absolute.</summary>
    public required string Path { get; init; }

    /// <summary>The rows measured.</summary>
    [JsonPropertyName("data")]
    public required DatasetSection Dataset { get; init; }

    /// <summary>What is measured of each row; the log-likelihood of the label where nothing is said.</summary>
    public Metric Metric { get; init; } = new Metric.LogLikelihood();

    /// <summary>Null: the run's.</summary>
    public ModelTask? Task { get; init; }
}
