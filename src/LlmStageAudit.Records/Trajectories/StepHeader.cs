using System.Text.Json;

namespace LlmStageAudit.Records.Trajectories;

/// <summary>A frame's header without its JSON: numbers, and the batch as places in a table of ids.</summary>
/// <param name="Step">See <see cref="StepRecord.Step"/>.</param>
/// <param name="StageStep">See <see cref="StepRecord.StageStep"/>.</param>
/// <param name="Epoch">See <see cref="StepRecord.Epoch"/>.</param>
/// <param name="LearningRate">See <see cref="StepRecord.LearningRate"/>.</param>
/// <param name="LossNats">See <see cref="StepRecord.LossNats"/>.</param>
/// <param name="GradientNorm">See <see cref="StepRecord.GradientNorm"/>.</param>
/// <param name="Batch">Places in the table the header was read with; empty where it was read without one.</param>
internal readonly record struct StepHeader(
    int Step,
    int StageStep,
    int Epoch,
    double LearningRate,
    double LossNats,
    double GradientNorm,
    int[] Batch)
{
    private const string NoRecord = "the header is no step record";
    private const int AllFields = (1 << 7) - 1;

    /// <summary>
    /// Reads what <see cref="TrajectoryFrame.HeaderOf"/> wrote, allocating the batch only. Unknown fields are passed over.
    /// </summary>
    /// <param name="text">The header, JSON in UTF-8.</param>
    /// <param name="ids">Collects the ids; null to pass over them.</param>
    /// <param name="header">What it says; default after a fault.</param>
    /// <returns>The fault, or null and the header.</returns>
    public static string? Read(ReadOnlySpan<byte> text, BatchIdTable? ids, out StepHeader header)
    {
        header = default;
        try
        {
            var reader = new Utf8JsonReader(text);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return NoRecord;
            var (found, repeated) = (0, false);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var field = FieldAt(ref reader);
                reader.Read();
                if (field < 0) reader.Skip();
                else header = header.With(field, ref reader, ids);
                if (field < 0) continue;
                repeated |= (found & (1 << field)) != 0;
                found |= 1 << field;
            }

            var isWhole = reader.TokenType == JsonTokenType.EndObject && !reader.Read() && found == AllFields && !repeated;
            return isWhole && header is { Step: >= 1, StageStep: >= 1, Epoch: >= 0 } ? null : NoRecord;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            return $"{NoRecord} ({exception.Message})";
        }
    }

    public StepRecord ToRecord(BatchIdTable ids) => new()
    {
        Step = Step,
        StageStep = StageStep,
        Epoch = Epoch,
        LearningRate = LearningRate,
        LossNats = LossNats,
        GradientNorm = GradientNorm,
        BatchIds = ids.View(Batch),
    };

    private static int FieldAt(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("step"u8) ? 0
        : reader.ValueTextEquals("stageStep"u8) ? 1
        : reader.ValueTextEquals("epoch"u8) ? 2
        : reader.ValueTextEquals("learningRate"u8) ? 3
        : reader.ValueTextEquals("lossNats"u8) ? 4
        : reader.ValueTextEquals("gradientNorm"u8) ? 5
        : reader.ValueTextEquals("batchIds"u8) ? 6
        : -1;

    private StepHeader With(int field, ref Utf8JsonReader reader, BatchIdTable? ids) => field switch
    {
        0 => this with { Step = reader.GetInt32() },
        1 => this with { StageStep = reader.GetInt32() },
        2 => this with { Epoch = reader.GetInt32() },
        3 => this with { LearningRate = Number(ref reader) },
        4 => this with { LossNats = Number(ref reader) },
        5 => this with { GradientNorm = Number(ref reader) },
        _ => this with { Batch = BatchAt(ref reader, ids) },
    };

    // Numbers that JSON has no spelling for are strings.
    private static double Number(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String) return reader.GetDouble();
        return reader.ValueTextEquals("NaN"u8) ? double.NaN
            : reader.ValueTextEquals("Infinity"u8) ? double.PositiveInfinity
            : reader.ValueTextEquals("-Infinity"u8) ? double.NegativeInfinity
            : throw new FormatException("a number was expected");
    }

    private static int[] BatchAt(ref Utf8JsonReader reader, BatchIdTable? ids)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw new FormatException("a list of ids was expected");
        if (ids is not null) return ids.ReadBatch(ref reader);
        reader.Skip();
        return [];
    }
}
