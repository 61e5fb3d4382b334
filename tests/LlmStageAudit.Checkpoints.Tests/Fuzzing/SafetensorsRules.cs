using System.Buffers.Binary;
using System.Numerics;
using System.Text.Json;
using System.Text.Unicode;

namespace LlmStageAudit.Checkpoints.Tests.Fuzzing;

/// <summary>
/// The rules of the safetensors format written down a second time, slowly and with big integers: whether a file keeps them all.
/// Source: https://github.com/huggingface/safetensors (format section of the README and the limits of the reference reader).
/// </summary>
internal static class SafetensorsRules
{
    private static readonly Dictionary<string, int> BitsOf = new(StringComparer.Ordinal)
    {
        ["BOOL"] = 8, ["U8"] = 8, ["I8"] = 8, ["F8_E5M2"] = 8, ["F8_E4M3"] = 8, ["F8_E8M0"] = 8, ["F8_E4M3FNUZ"] = 8, ["F8_E5M2FNUZ"] = 8,
        ["F4"] = 4, ["F6_E2M3"] = 6, ["F6_E3M2"] = 6, ["I16"] = 16, ["U16"] = 16, ["F16"] = 16, ["BF16"] = 16, ["I32"] = 32, ["U32"] = 32,
        ["F32"] = 32, ["C64"] = 64, ["F64"] = 64, ["I64"] = 64, ["U64"] = 64,
    };

    public static bool AreKept(byte[] file)
    {
        if (file.Length < 8) return false;
        var length = BinaryPrimitives.ReadUInt64LittleEndian(file);
        if (length > 100_000_000 || length > (ulong)file.Length - 8 || length == 0) return false;
        var header = file.AsMemory(8, (int)length);
        if (header.Span[0] != '{' || !Utf8.IsValid(header.Span)) return false;
        try
        {
            using var document = JsonDocument.Parse(header, new JsonDocumentOptions { MaxDepth = 16 });
            return AreKept(document.RootElement, file.Length - 8 - (long)length);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static bool AreKept(JsonElement root, long dataBytes)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var places = new List<(BigInteger Begin, BigInteger End)>();
        foreach (var property in root.EnumerateObject())
        {
            if (!names.Add(property.Name)) return false;
            if (property.Name == "__metadata__")
            {
                if (!IsMetadata(property.Value)) return false;
            }
            else
            {
                if (Place(property.Value) is not { } place) return false;
                places.Add(place);
            }
        }

        BigInteger next = 0;
        foreach (var (begin, end) in places.OrderBy(place => place.Begin).ThenBy(place => place.End))
        {
            if (begin != next) return false;
            next = end;
        }

        return next == dataBytes;
    }

    private static bool IsMetadata(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Null) return true;
        if (value.ValueKind != JsonValueKind.Object) return false;
        var keys = new HashSet<string>(StringComparer.Ordinal);
        return value.EnumerateObject().All(pair =>
            keys.Add(pair.Name) && pair.Value.ValueKind == JsonValueKind.String && pair.Value.GetString() is not null);
    }

    private static (BigInteger Begin, BigInteger End)? Place(JsonElement tensor)
    {
        if (tensor.ValueKind != JsonValueKind.Object) return null;
        JsonElement? dtype = null, shape = null, offsets = null;
        foreach (var property in tensor.EnumerateObject())
        {
            ref var slot = ref dtype;
            if (property.Name == "shape") slot = ref shape;
            else if (property.Name == "data_offsets") slot = ref offsets;
            else if (property.Name != "dtype") continue;
            if (slot is not null) return null;
            slot = property.Value;
        }

        if (dtype is not { ValueKind: JsonValueKind.String } spelling) return null;
        if (!BitsOf.TryGetValue(spelling.GetString()!, out var bits)) return null;
        if (Sizes(shape) is not { } sizes || Sizes(offsets) is not [var begin, var end]) return null;

        // Up to a zero, too, the elements must be countable in 64 bits.
        BigInteger elements = 1;
        foreach (var size in sizes)
        {
            elements *= size;
            if (elements > ulong.MaxValue) return null;
        }

        var total = elements * bits;
        return total % 8 == 0 && end - begin == total / 8 ? (begin, end) : null;
    }

    private static List<BigInteger>? Sizes(JsonElement? value)
    {
        if (value is not { ValueKind: JsonValueKind.Array } array) return null;
        var sizes = new List<BigInteger>();
        foreach (var item in array.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out var size) || size < 0) return null;
            sizes.Add(size);
        }

        return sizes;
    }
}
