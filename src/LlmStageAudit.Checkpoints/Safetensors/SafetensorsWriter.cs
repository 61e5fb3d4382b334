using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using LlmStageAudit.Foundation.Files;

namespace LlmStageAudit.Checkpoints.Safetensors;

/// <summary>
/// Writes float32 tensors as a safetensors file, whole or not at all. The bytes are a pure function of the tensors, their order
/// and the metadata: keys in the order given, metadata sorted, the header padded with spaces to a multiple of 8.
/// </summary>
public static class SafetensorsWriter
{
    private const int ChunkElements = 1 << 18;

    private static readonly JsonSerializerOptions Layout = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly Dictionary<string, string> FormatPt = new() { ["format"] = "pt" };

    /// <summary>Writes tensors that are in memory, whole or not at all.</summary>
    /// <param name="path">The file to appear; an existing one is replaced.</param>
    /// <param name="tensors">Unique names; as many values as the shape says.</param>
    /// <param name="metadata">Strings for <c>__metadata__</c>; left out: format = pt, as PyTorch users expect.</param>
    /// <exception cref="CheckpointException">A name is used twice or reserved, or a shape does not fit its values.</exception>
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
                    throw CheckpointException.AtTensor(path, outlines[i].Name, $"{values.Length} values",
                        $"{counts[i]} for shape {MessageText.Shape(outlines[i].Shape)}");
                }

                // As the machine has them: no libtorch runs where that is not the format's order of bytes.
                for (var rest = values.Span; !rest.IsEmpty; rest = rest[Math.Min(rest.Length, ChunkElements)..])
                {
                    stream.Write(MemoryMarshal.AsBytes(rest[..Math.Min(rest.Length, ChunkElements)]));
                }
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
                throw CheckpointException.AtTensor(path, outline.Name, $"shape {MessageText.Shape(outline.Shape)}",
                    $"non-negative sizes and at most {Array.MaxLength} elements");
            }
        }

        return (long)count;
    }

    private static byte[] Header(
        string path, IReadOnlyList<TensorOutline> outlines, long[] counts, IReadOnlyDictionary<string, string> metadata)
    {
        var entries = new OrderedDictionary<string, object>(StringComparer.Ordinal);
        if (metadata.Count > 0)
            entries["__metadata__"] = new SortedDictionary<string, string>(metadata.ToDictionary(), StringComparer.Ordinal);
        var begin = 0L;
        foreach (var ((name, shape), count) in outlines.Zip(counts))
        {
            if (name == "__metadata__") throw CheckpointException.AtTensor(path, name, "reserved by the format");
            var end = checked(begin + (count * sizeof(float)));
            if (!entries.TryAdd(name, new { dtype = nameof(SafetensorsDtype.F32), shape, data_offsets = new[] { begin, end } }))
                throw CheckpointException.AtTensor(path, name, "named twice", "unique names");
            begin = end;
        }

        var json = JsonSerializer.SerializeToUtf8Bytes(entries, Layout);
        var header = new byte[8 + ((json.Length + 7) / 8 * 8)];
        header.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteInt64LittleEndian(header, header.Length - 8);
        json.CopyTo(header, 8);
        return header;
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
