using System.Text.Encodings.Web;
using System.Text.Unicode;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Checkpoints;

/// <summary>
/// An object in a small foreign JSON file, behind typed getters that know the path of every value. Get demands a key, Find answers null
/// where it is absent or null, which are the same for the Python libraries that write these files; both throw a
/// <see cref="CheckpointException"/> that names file and key where the value has the wrong type.
/// </summary>
public class JsonSection
{
    /// <summary>How JSON is written that people read too: as Python's libraries indent it.</summary>
    internal static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        IndentSize = 2,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly string _prefix;
    private readonly JsonElement _element;

    /// <summary>The root object of a JSON text, without duplicate keys.</summary>
    private protected JsonSection(string path, ReadOnlyMemory<byte> json)
        : this(path, "", Root(path, json))
    {
    }

    private JsonSection(string path, string prefix, JsonElement element) => (Path, _prefix, _element) = (path, prefix, element);

    /// <summary>Path of the file, for messages.</summary>
    public string Path { get; }

    /// <summary>The object's keys in file order, those that are null included.</summary>
    public IEnumerable<string> Keys => _element.EnumerateObject().Select(property => property.Name);

    internal static JsonSection Read(string path, long limitBytes) => new(path, Bytes(path, limitBytes));

    /// <summary>All bytes of a file that should hold JSON.</summary>
    private protected static byte[] Bytes(string path, long limitBytes)
    {
        try
        {
            using var stream = ForeignFile.OpenText(path);
            if (stream.Length > limitBytes)
                throw CheckpointException.At(path, $"holds {stream.Length} bytes", $"at most {limitBytes} bytes");
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw CheckpointException.At(path, $"cannot be read ({fault.Message})", inner: fault);
        }
    }

    /// <summary>The value as JSON, for keys whose form varies between versions.</summary>
    internal JsonElement? Find(string key) =>
        _element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>Whether the key is there and not null.</summary>
    internal bool Has(string key) => Find(key) is not null;

    internal JsonSection? FindSection(string key)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Object) throw Wrong(key, value, "an object");
        return new JsonSection(Path, $"{_prefix}{key}.", value);
    }

    internal int? FindInt(string key, int least = int.MinValue, int most = int.MaxValue)
    {
        if (Find(key) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least && number <= most
            ? number
            : throw Wrong(key, value, Invariant($"an integer from {least} to {most}"));
    }

    internal int GetInt(string key, int least = int.MinValue, int most = int.MaxValue) =>
        FindInt(key, least, most) ?? throw Absent(key, "an integer");

    internal double? FindDouble(string key)
    {
        if (Find(key) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : throw Wrong(key, value, "a finite number");
    }

    internal double? FindPositive(string key) =>
        FindDouble(key) is not <= 0 and var value ? value : throw Fault(key, Invariant($"found {FindDouble(key)}"), "a positive number");

    internal double GetPositive(string key) => FindPositive(key) ?? throw Absent(key, "a number");

    internal bool? FindBool(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Wrong(key, value, "true or false"),
    };

    internal string? FindString(string key) => Find(key) is not { } value ? null : Text(value) ?? throw Wrong(key, value, "a string");

    internal string GetString(string key) => FindString(key) ?? throw Absent(key, "a string");

    internal IReadOnlyList<string>? FindStrings(string key)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array) throw Wrong(key, value, "a list of strings");
        return [.. value.EnumerateArray().Select(item => Text(item) ?? throw Wrong(key, item, "a list of strings"))];
    }

    /// <summary>All keys with their strings, in one pass; a null is as wrong as a number here.</summary>
    internal IEnumerable<(string Key, string Text)> Strings() =>
        _element.EnumerateObject().Select(property =>
            (property.Name, Text(property.Value) ?? throw Wrong(property.Name, property.Value, "a string")));

    internal CheckpointException Absent(string key, string expected) =>
        Fault(key, "is absent", MessageText.NearestHint(key, Keys) is { } hint ? $"{expected}; {hint}" : expected);

    internal CheckpointException Wrong(string key, JsonElement value, string expected) => Fault(key, $"found {Shown(value)}", expected);

    /// <summary>An error that names this file and key.</summary>
    public CheckpointException Fault(string key, string found, string? expected = null) =>
        CheckpointException.At(Where(key), found, expected);

    internal string Where(string key) => $"{Path}: {_prefix}{key}";

    private static JsonElement Root(string path, ReadOnlyMemory<byte> json)
    {
        if (!Utf8.IsValid(json.Span)) throw CheckpointException.At(path, "is not UTF-8", "one JSON object in UTF-8");
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 64, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw CheckpointException.At(path, "holds no JSON object");
            return document.RootElement.Clone();
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // The latter where a key escapes half of a surrogate pair.
            throw CheckpointException.At(
                path, $"is not valid JSON ({fault.Message})", "one JSON object without duplicate keys", inner: fault);
        }
    }

    /// <summary>The text of a JSON string, or null for anything else; a lone surrogate escape is no text.</summary>
    internal static string? Text(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string Shown(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        _ => MessageText.Quote(value.GetRawText()),
    };
}
