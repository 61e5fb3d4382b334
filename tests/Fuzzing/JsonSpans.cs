using System.Text.Json;

namespace LlmStageAudit.Testing.Fuzzing;

/// <summary>Bytes from Start up to End.</summary>
internal readonly record struct JsonSpan(int Start, int End);

/// <summary>Where the values and the properties (name and value together) of a JSON text lie.</summary>
internal sealed class JsonSpans
{
    public List<JsonSpan> Values { get; } = [];

    public List<JsonSpan> Properties { get; } = [];

    /// <summary>Keys that stand twice in one object, anywhere.</summary>
    public bool HasRepeatedKeys { get; private set; }

    /// <summary>Null where the text is no JSON or nests deeper than <paramref name="depth"/>.</summary>
    public static JsonSpans? Of(ReadOnlySpan<byte> json, int depth = 64)
    {
        var spans = new JsonSpans();
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = depth });
        try
        {
            if (!reader.Read()) return null;
            spans.Add(ref reader);
            return reader.Read() ? null : spans;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private void Add(ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) Add(ref reader);
        }
        else if (reader.TokenType == JsonTokenType.StartObject)
        {
            var keys = new HashSet<string>(StringComparer.Ordinal);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var property = (int)reader.TokenStartIndex;
                HasRepeatedKeys |= !keys.Add(reader.GetString()!);
                reader.Read();
                Add(ref reader);
                Properties.Add(new JsonSpan(property, (int)reader.BytesConsumed));
            }
        }

        Values.Add(new JsonSpan(start, (int)reader.BytesConsumed));
    }
}
