using System.Text.Json;
using LlmStageAudit.Records.Serialization;

namespace LlmStageAudit.Records.Trajectories;

/// <summary>What one optimizer step did, beside its gradient.</summary>
public sealed record StepRecord
{
    /// <summary>From 1, over the whole run.</summary>
    public required int Step { get; init; }

    /// <summary>From 1, within the stage.</summary>
    public required int StageStep { get; init; }

    /// <summary>From 0, within the stage.</summary>
    public required int Epoch { get; init; }

    /// <summary>The rate of this step, after the schedule.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Mean loss of the batch before the update.</summary>
    public required double LossNats { get; init; }

    /// <summary>Euclidean norm of the raw gradient, before clipping.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>The batch's rows, in batch order.</summary>
    public required IReadOnlyList<string> BatchIds { get; init; }
}

/// <summary>A step record as a frame's header: JSON in UTF-8, on one line.</summary>
internal static class StepHeader
{
    private const string NoRecord = "the header is no step record";

    public static byte[] Of(StepRecord record) => JsonSerializer.SerializeToUtf8Bytes(record, ArtifactJson.CompactOptions);

    /// <summary>Reads what <see cref="Of"/> wrote; unknown fields are passed over.</summary>
    /// <param name="text">The header.</param>
    /// <param name="ids">Collects the ids; null where they are of no use.</param>
    /// <param name="record">What it says; null after a fault.</param>
    /// <returns>The fault, or null and the record.</returns>
    public static string? Read(ReadOnlySpan<byte> text, BatchIdTable? ids, out StepRecord record)
    {
        record = null!;
        try
        {
            var found = JsonSerializer.Deserialize<StepRecord>(text, ids?.Options ?? ArtifactJson.CompactOptions);
            if (found is not { Step: >= 1, StageStep: >= 1, Epoch: >= 0 }) return NoRecord;
            record = found;
            return null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            return $"{NoRecord} ({exception.Message})";
        }
    }
}
