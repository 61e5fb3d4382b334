using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization;
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

/// <summary>
/// The row ids of a log, each kept once: every epoch names the same rows, so that a batch is a handful of places in this table. It is
/// how <see cref="Options"/> read batches.
/// </summary>
internal sealed class BatchIdTable : JsonConverter<IReadOnlyList<string>>
{
    private const int LongestOnStack = 256;

    private readonly List<string> _ids = [];
    private readonly Dictionary<string, int> _places = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly List<int> _batch = [];

    public BatchIdTable()
    {
        _lookup = _places.GetAlternateLookup<ReadOnlySpan<char>>();
        Options = new JsonSerializerOptions(ArtifactJson.CompactOptions) { Converters = { this } };
    }

    public JsonSerializerOptions Options { get; }

    /// <summary>A view of the ids in this table, to which new ones are added.</summary>
    public override IReadOnlyList<string> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException("a list of ids was expected");
        _batch.Clear();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String) throw new JsonException("an id that is no text");
            _batch.Add(PlaceOf(ref reader));
        }

        return new Batch(_ids, [.. _batch]);
    }

    public override void Write(Utf8JsonWriter writer, IReadOnlyList<string> value, JsonSerializerOptions options) =>
        throw new NotSupportedException();

    private int PlaceOf(ref Utf8JsonReader reader)
    {
        var bound = reader.ValueSpan.Length;
        var text = bound <= LongestOnStack ? stackalloc char[LongestOnStack] : new char[bound];
        text = text[..reader.CopyString(text)];
        if (_lookup.TryGetValue(text, out var place)) return place;
        place = _ids.Count;
        var id = text.ToString();
        _ids.Add(id);
        _places.Add(id, place);
        return place;
    }

    private sealed class Batch(List<string> ids, int[] places) : IReadOnlyList<string>
    {
        public int Count => places.Length;

        public string this[int index] => ids[places[index]];

        public IEnumerator<string> GetEnumerator() => places.Select(place => ids[place]).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
