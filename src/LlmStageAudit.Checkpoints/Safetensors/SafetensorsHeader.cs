using System.Text.Unicode;

namespace LlmStageAudit.Checkpoints.Safetensors;

/// <summary>
/// The JSON header of a safetensors file, checked as the reference implementation checks it: no duplicate keys, every
/// size = product of the shape times the element size, and the tensors cover the bytes after the header without hole or overlap.
/// Source: https://github.com/huggingface/safetensors (format section of the README).
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>Longest header the reference implementation accepts.</summary>
    public const long LongestBytes = 100_000_000;

    /// <summary>What helps against most damage.</summary>
    public const string FetchAgain = "the file is damaged or was not written by a safetensors library; fetch or export it again";

    private const string MetadataKey = "__metadata__";

    private readonly string _path;
    private readonly OrderedDictionary<string, TensorEntry> _tensors = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _metadata = new(StringComparer.Ordinal);

    /// <summary>Parses the header's bytes; <paramref name="fileSizeBytes"/> is the size of the whole file.</summary>
    public SafetensorsHeader(string path, ReadOnlySpan<byte> json, long fileSizeBytes)
    {
        _path = path;
        if (json.IsEmpty || json[0] != (byte)'{') throw Fault("does not begin with '{'", "a JSON object");
        if (!Utf8.IsValid(json)) throw Fault("is not UTF-8", "UTF-8 JSON");
        try
        {
            Place(ReadEntries(json), 8L + json.Length, fileSizeBytes);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // The reader reports a lone surrogate escape as InvalidOperationException.
            throw Fault("is not valid JSON", "UTF-8 JSON", fault);
        }
    }

    /// <summary>Tensors in the order of their bytes.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => _tensors;

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    public static CheckpointException Truncated(string path, string name, Int128 neededBytes, long sizeBytes) =>
        CheckpointException.At(
            path, $"tensor {MessageText.Quote(name)} ends at byte {neededBytes} but the file holds {sizeBytes} bytes", "a whole file",
            "it was cut short; fetch or copy it again");

    private CheckpointException Fault(string found, string? expected = null, Exception? inner = null) =>
        CheckpointException.At($"{_path}: header", found, expected, FetchAgain, inner);

    private CheckpointException TensorFault(string name, string found, string? expected = null, string remedy = FetchAgain) =>
        CheckpointException.AtTensor(_path, name, found, expected, remedy);

    private List<TensorEntry> ReadEntries(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 16 });
        var names = new HashSet<string>(StringComparer.Ordinal);
        var entries = new List<TensorEntry>();
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!names.Add(name)) throw Fault($"holds the key {MessageText.Quote(name)} twice", "unique keys");
            reader.Read();
            if (name == MetadataKey) ReadMetadata(ref reader);
            else entries.Add(ReadEntry(ref reader, name));
        }

        // Past the closing brace only white space may follow; the reader throws on anything else.
        while (reader.Read())
        {
        }

        return entries;
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null) return;
        const string expected = "an object of strings";
        if (reader.TokenType != JsonTokenType.StartObject) throw Fault("__metadata__ is no object", expected);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                throw Fault($"__metadata__ holds no string under {MessageText.Quote(key)}", expected);
            }

            if (!_metadata.TryAdd(key, reader.GetString()!))
            {
                throw Fault($"__metadata__ holds the key {MessageText.Quote(key)} twice", "unique keys");
            }
        }
    }

    /// <summary>Reads one tensor; its offset is still relative to the end of the header.</summary>
    private TensorEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw TensorFault(name, "is no object");
        string? spelling = null;
        List<long>? shape = null, offsets = null;
        var keys = new HashSet<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString();
            reader.Read();
            if (key is "dtype" or "shape" or "data_offsets" && !keys.Add(key)) throw TensorFault(name, $"holds '{key}' twice");
            if (key == "dtype")
                spelling = reader.TokenType == JsonTokenType.String ? reader.GetString() : throw TensorFault(name, "dtype is no string");
            else if (key == "shape") shape = ReadSizes(ref reader, name, key);
            else if (key == "data_offsets") offsets = ReadSizes(ref reader, name, key);
            else reader.Skip();
        }

        if (spelling is null || shape is null || offsets is not { Count: 2 })
            throw TensorFault(name, "is incomplete", "dtype, shape and two data_offsets");

        if (!SafetensorsDtypes.TryParse(spelling, out var dtype))
        {
            throw TensorFault(name, $"dtype {MessageText.Quote(spelling)}", string.Join(", ", SafetensorsDtypes.Spellings),
                "save the weights in one of these");
        }

        return Checked(name, dtype, shape, offsets[0], offsets[1]);
    }

    private List<long> ReadSizes(ref Utf8JsonReader reader, string name, string key)
    {
        const string expected = "an array of non-negative integers";
        if (reader.TokenType != JsonTokenType.StartArray) throw TensorFault(name, $"{key} is no array", expected);
        var sizes = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var size) || size < 0)
            {
                throw TensorFault(name, $"{key} holds something else than sizes", expected);
            }

            sizes.Add(size);
        }

        return sizes;
    }

    private TensorEntry Checked(string name, SafetensorsDtype dtype, List<long> shape, long begin, long end)
    {
        // Elements first and in 64 bits, as the reference multiplies: of a shape with a zero in it, all of that must hold up to the zero.
        Int128 elements = 1;
        foreach (var size in shape)
        {
            elements *= size;
            if (elements > ulong.MaxValue) throw Overflowing();
        }

        var bits = elements * dtype.SizeBits();
        if (bits > long.MaxValue) throw Overflowing();
        CheckpointException Overflowing() =>
            TensorFault(name, $"shape {MessageText.Shape(shape)} of {dtype} overflows", "a size below 2^63 bits");

        if (bits % 8 != 0) throw TensorFault(name, $"shape {MessageText.Shape(shape)} of {dtype} does not fill whole bytes");

        var sizeBytes = (long)(bits / 8);
        if (end < begin || end - begin != sizeBytes)
        {
            throw TensorFault(name,
                Invariant($"data_offsets [{begin}, {end}] hold {end - (Int128)begin} bytes"),
                $"{sizeBytes} bytes for shape {MessageText.Shape(shape)} of {dtype}");
        }

        return new TensorEntry(name, dtype, shape.AsReadOnly(), begin, sizeBytes);
    }

    private void Place(List<TensorEntry> entries, long firstByte, long fileSizeBytes)
    {
        var next = 0L;
        foreach (var entry in entries.OrderBy(entry => entry.OffsetBytes).ThenBy(entry => entry.SizeBytes))
        {
            if (entry.OffsetBytes != next)
            {
                var fault = entry.OffsetBytes > next ? "leaving a hole before it" : "overlapping the tensor before it";
                throw TensorFault(entry.Name,
                    Invariant($"begins at data byte {entry.OffsetBytes}, {fault}"),
                    Invariant($"byte {next}"));
            }

            next = entry.OffsetBytes + entry.SizeBytes;
            if (next > fileSizeBytes - firstByte) throw Truncated(_path, entry.Name, (Int128)firstByte + next, fileSizeBytes);
            _tensors.Add(entry.Name, entry with { OffsetBytes = firstByte + entry.OffsetBytes });
        }

        if (firstByte + next == fileSizeBytes) return;
        throw CheckpointException.At(
            _path, $"the tensors end at byte {firstByte + next} but the file holds {fileSizeBytes} bytes", "no bytes after the last tensor",
            FetchAgain);
    }
}

/// <summary>Where one tensor lies in a safetensors file.</summary>
/// <param name="Name">Key in the header.</param>
/// <param name="Dtype">Element type on disk.</param>
/// <param name="Shape">Sizes, row-major; empty for a scalar.</param>
/// <param name="OffsetBytes">Position of the first element from the start of the file.</param>
/// <param name="SizeBytes">Product of the shape times the element size.</param>
public sealed record TensorEntry(string Name, SafetensorsDtype Dtype, IReadOnlyList<long> Shape, long OffsetBytes, long SizeBytes)
{
    /// <summary>
    /// Product of the shape; 1 for a scalar. Counted by bytes: before a size of zero others may multiply beyond any count.
    /// </summary>
    public long ElementCount => (long)((Int128)SizeBytes * 8 / Dtype.SizeBits());
}
