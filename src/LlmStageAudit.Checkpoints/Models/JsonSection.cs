using System.Globalization;
using System.Text.Json;
using LlmStageAudit.Checkpoints.Safetensors;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>
/// An object in a JSON file with typed getters that know the path of every value. A key that is absent and one that is null
/// read the same, as they do for the Python libraries that write these files.
/// </summary>
internal sealed class JsonSection(string path, string prefix, JsonElement element, JsonFault fault)
{
    public string Path => path;

    public IEnumerable<string> Keys => element.EnumerateObject().Select(property => property.Name);

    public JsonElement Element => element;

    /// <summary>The value under a key, or null where the key is absent or null.</summary>
    public JsonElement? Find(string key) =>
        element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public JsonSection? FindSection(string key)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Object) throw Wrong(key, value, "an object");
        return new JsonSection(path, $"{prefix}{key}.", value, fault);
    }

    public long? FindInteger(string key, long least = long.MinValue, long most = long.MaxValue)
    {
        if (Find(key) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least && number <= most
            ? number
            : throw Wrong(key, value, Range("an integer", least, most));
    }

    public double? FindDouble(string key)
    {
        if (Find(key) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : throw Wrong(key, value, "a finite number");
    }

    public bool? FindBoolean(string key) => Find(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Wrong(key, value, "true or false"),
    };

    public string? FindString(string key) =>
        Find(key) is not { } value ? null : Text(value) ?? throw Wrong(key, value, "a string");

    public IReadOnlyList<string>? FindStrings(string key)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array) throw Wrong(key, value, "a list of strings");
        return [.. value.EnumerateArray().Select(item => Text(item) ?? throw Wrong(key, item, "a list of strings"))];
    }

    /// <summary>All keys with their strings, in one pass; a null is as wrong as a number here.</summary>
    public IEnumerable<(string Key, string Text)> Strings() =>
        element.EnumerateObject().Select(property =>
            (property.Name, Text(property.Value) ?? throw Wrong(property.Name, property.Value, "a string")));

    public IReadOnlyList<long>? FindIntegers(string key)
    {
        if (Find(key) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array) throw Wrong(key, value, "a list of integers");
        return [.. value.EnumerateArray().Select(item =>
            item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out var number)
                ? number
                : throw Wrong(key, item, "a list of integers"))];
    }

    public Exception Absent(string key, string expected) =>
        fault(Where(key), "is absent", MessageText.NearestHint(key, Keys) is { } hint ? $"{expected}; {hint}" : expected);

    public Exception Wrong(string key, JsonElement value, string expected) => fault(Where(key), $"found {Shown(value)}", expected);

    public string Where(string key) => $"{path}: {prefix}{key}";

    /// <summary>The text of a JSON string, or null for anything else; a lone surrogate escape is no text.</summary>
    private static string? Text(JsonElement value)
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

    private static string Range(string what, long least, long most)
    {
        if (least == long.MinValue && most == long.MaxValue) return what;
        return most == long.MaxValue
            ? string.Create(CultureInfo.InvariantCulture, $"{what} of at least {least}")
            : string.Create(CultureInfo.InvariantCulture, $"{what} from {least} to {most}");
    }
}
