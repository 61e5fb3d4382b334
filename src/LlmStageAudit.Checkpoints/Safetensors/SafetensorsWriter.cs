using System.Buffers.Binary;
using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Checkpoints.Safetensors;

/// <summary>
/// Writes float32 tensors as a safetensors file, whole or not at all. The bytes are a pure function of the tensors, their order
/// and the metadata: keys in the order given, metadata sorted, the header padded with spaces to a multiple of 8.
/// </summary>
public static class SafetensorsWriter
{
    private static readonly Dictionary<string, string> FormatPt = new() { ["format"] = "pt" };

    /// <summary>Writes tensors that are in memory, whole or not at all.</summary>
    /// <param name="path">The file to appear; an existing one is replaced.</param>
    /// <param name="tensors">Unique names; as many values as the shape says.</param>
    /// <param name="metadata">Strings for <c>__metadata__</c>; left out: format = pt, as PyTorch users expect.</param>
    /// <exception cref="SafetensorsException">A name is used twice or reserved, or a shape does not fit its values.</exception>
    public static void Write(string path, IReadOnlyList<HostTensor> tensors, IReadOnlyDictionary<string, string>? metadata = null) =>
        Write(path, [.. tensors.Select(tensor => tensor.Outline)], index => tensors[index].Values, metadata);

    /// <summary>As above, but asks for the values of one tensor at a time, in order, so that only one need be in managed memory.</summary>
    public static void Write(
        string path,
        IReadOnlyList<TensorOutline> outlines,
        Func<int, ReadOnlyMemory<float>> valuesAt,
        IReadOnlyDictionary<string, string>? metadata = null)
    {
        var counts = outlines.Select(outline => ElementCount(path, outline)).ToArray();
        var header = Header(path, outlines, counts, metadata ?? FormatPt);
        AtomicFile.Write(path, stream =>
        {
            stream.Write(header);
            for (var i = 0; i < outlines.Count; i++)
            {
                var values = valuesAt(i);
                if (values.Length != counts[i])
                {
                    throw SafetensorsException.NotWritable(path, outlines[i].Name,
                        string.Create(CultureInfo.InvariantCulture, $"{values.Length} values"),
                        string.Create(CultureInfo.InvariantCulture, $"{counts[i]} for shape {MessageText.Shape(outlines[i].Shape)}"));
                }

                WriteLittleEndian(stream, values.Span);
            }
        });
    }

    /// <summary>How many bytes the file of such tensors has.</summary>
    public static long SizeBytes(IReadOnlyList<TensorOutline> outlines, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var counts = outlines.Select(outline => ElementCount("", outline)).ToArray();
        return Header("", outlines, counts, metadata ?? FormatPt).Length + (sizeof(float) * counts.Sum());
    }

    private static long ElementCount(string path, TensorOutline outline)
    {
        Int128 count = 1;
        foreach (var size in outline.Shape)
        {
            count *= size;
            if (size < 0 || count > Array.MaxLength)
            {
                throw SafetensorsException.NotWritable(path, outline.Name, $"shape {MessageText.Shape(outline.Shape)}",
                    string.Create(CultureInfo.InvariantCulture, $"non-negative sizes and at most {Array.MaxLength} elements"));
            }
        }

        return (long)count;
    }

    private static byte[] Header(
        string path, IReadOnlyList<TensorOutline> outlines, long[] counts, IReadOnlyDictionary<string, string> metadata)
    {
        var json = new ArrayBufferWriter<byte>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        json.Write(stackalloc byte[8]);
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            if (metadata.Count > 0)
            {
                writer.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal)) writer.WriteString(key, value);
                writer.WriteEndObject();
            }

            var begin = 0L;
            for (var i = 0; i < outlines.Count; i++)
            {
                var (name, shape) = outlines[i];
                if (name == "__metadata__") throw SafetensorsException.NotWritable(path, name, "reserved by the format");
                if (!names.Add(name)) throw SafetensorsException.NotWritable(path, name, "named twice", "unique names");
                var end = checked(begin + (counts[i] * sizeof(float)));
                writer.WriteStartObject(name);
                writer.WriteString("dtype", nameof(SafetensorsDtype.F32));
                WriteSizes(writer, "shape", shape);
                WriteSizes(writer, "data_offsets", [begin, end]);
                writer.WriteEndObject();
                begin = end;
            }

            writer.WriteEndObject();
        }

        var padding = (8 - (json.WrittenCount % 8)) % 8;
        json.Write("       "u8[..padding]);
        var header = json.WrittenSpan.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - 8);
        return header;
    }

    private static void WriteSizes(Utf8JsonWriter writer, string key, IReadOnlyList<long> sizes)
    {
        writer.WriteStartArray(key);
        foreach (var size in sizes) writer.WriteNumberValue(size);
        writer.WriteEndArray();
    }

    private static void WriteLittleEndian(Stream stream, ReadOnlySpan<float> values)
    {
        const int chunkElements = 1 << 18;
        var swapped = BitConverter.IsLittleEndian ? [] : new int[Math.Min(values.Length, chunkElements)];
        for (var done = 0; done < values.Length; done += chunkElements)
        {
            var chunk = values[done..Math.Min(values.Length, done + chunkElements)];
            if (BitConverter.IsLittleEndian)
            {
                stream.Write(MemoryMarshal.AsBytes(chunk));
                continue;
            }

            BinaryPrimitives.ReverseEndianness(MemoryMarshal.Cast<float, int>(chunk), swapped);
            stream.Write(MemoryMarshal.AsBytes(swapped.AsSpan(0, chunk.Length)));
        }
    }
}

/// <summary>A named float32 tensor in managed memory, row-major.</summary>
public sealed record HostTensor(string Name, IReadOnlyList<long> Shape, ReadOnlyMemory<float> Values)
{
    /// <summary>Name and shape without the values.</summary>
    public TensorOutline Outline => new(Name, Shape);
}

/// <summary>Name and shape of a tensor whose values come later, one tensor at a time.</summary>
public sealed record TensorOutline(string Name, IReadOnlyList<long> Shape);
