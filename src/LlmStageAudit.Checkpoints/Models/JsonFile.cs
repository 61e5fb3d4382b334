using System.Text.Json;
using System.Text.Unicode;
using LlmStageAudit.Checkpoints.Safetensors;
using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Models;

/// <summary>Builds the error of the concern a JSON file belongs to: where, what was found, what was expected.</summary>
internal delegate InvalidInputException JsonFault(string where, string found, string? expected = null, Exception? inner = null);

/// <summary>Reads small JSON files of foreign origin: bounded in size and depth, no duplicate keys.</summary>
internal static class JsonFile
{
    public static byte[] ReadBytes(string path, long limitBytes, JsonFault fault)
    {
        try
        {
            using var stream = ForeignFile.OpenText(path);
            if (stream.Length > limitBytes)
            {
                throw fault(path, $"holds {MessageText.Bytes(stream.Length)}", $"at most {MessageText.Bytes(limitBytes)}");
            }

            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception inner) when (inner is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw fault(path, $"cannot be read ({inner.Message})", null, inner);
        }
    }

    /// <summary>The root object of a JSON text, detached from its document.</summary>
    public static JsonSection ParseObject(string path, ReadOnlyMemory<byte> bytes, JsonFault fault)
    {
        if (!Utf8.IsValid(bytes.Span)) throw fault(path, "is not UTF-8", "one JSON object in UTF-8");
        try
        {
            using var document = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 64, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw fault(path, "holds no JSON object");
            DecodeKeys(document.RootElement);
            return new JsonSection(path, "", document.RootElement.Clone(), fault);
        }
        catch (Exception inner) when (inner is JsonException or InvalidOperationException)
        {
            throw fault(path, $"is not valid JSON ({inner.Message})", "one JSON object without duplicate keys", inner);
        }
    }

    /// <summary>
    /// Throws where a key escapes half of a surrogate pair: the parser lets it pass, and every later look at the key would throw.
    /// </summary>
    private static void DecodeKeys(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in element.EnumerateObject())
            {
                _ = property.Name;
                DecodeKeys(property.Value);
            }
        }
        else if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray()) DecodeKeys(item);
        }
    }
}
