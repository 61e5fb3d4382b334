using System.Text.Json.Serialization;

namespace LlmStageAudit.Records.Configuration;

/// <summary>One fine-tuning job, with everything the run's own blocks say merged in.</summary>
public sealed record StageSection
{
    /// <summary>Letters, digits, dots, dashes and underscores.</summary>
    public required string Name { get; init; }

    /// <summary>The rows trained on.</summary>
    [JsonPropertyName("data")]
    public required DatasetSection Dataset { get; init; }

    /// <summary>Passes over the rows, at least 1.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Examples per step.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Examples per forward pass, accumulated to a step; null: the whole batch at once.</summary>
    public int? MicroBatchSize { get; init; }

    /// <summary>False: file order in every epoch.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>The run's block with the stage's own over it.</summary>
    public required OptimizerSection Optimizer { get; init; }

    /// <summary>The run's block with the stage's own over it.</summary>
    public required ScheduleSection Schedule { get; init; }
}
