using System.Buffers.Binary;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// Looks at a Parquet file's frame before the library does: lengths that lie and structures that nest without end would cost it memory and
/// stack. The footer is in Thrift's compact protocol; what is walked over here is not interpreted, but for the depth of the schema.
/// </summary>
internal ref struct ParquetFooter
{
    private const int FrameBytes = 12;
    private const int LimitBytes = 64 << 20;
    private const int DepthLimit = 32;
    private const int SchemaElementLimit = 1 << 16;

    private ReadOnlySpan<byte> _rest;

    private ParquetFooter(ReadOnlySpan<byte> bytes) => _rest = bytes;

    /// <summary>Refuses a file that begins with PAR1 and is no whole Parquet file.</summary>
    public static void Check(string path, FileStream file)
    {
        const string whole = "a whole Parquet file";
        const string again = "download or copy it again";
        if (file.Length < FrameBytes) throw CheckpointException.At(path, $"{file.Length} bytes are too short to be Parquet", whole, again);
        Span<byte> end = stackalloc byte[8];
        file.Position = file.Length - end.Length;
        file.ReadExactly(end);
        if (FileSignature.Of(end[4..]) is not { } magic || magic.Format is not (FileFormat.Parquet or FileFormat.EncryptedParquet))
            throw CheckpointException.At(path, "cut off or damaged: it begins as Parquet and does not end with PAR1", whole, again);
        if (magic.Format == FileFormat.EncryptedParquet) throw Encrypted(path);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (length == 0 || length > file.Length - FrameBytes)
        {
            throw CheckpointException.At(
                path, $"a damaged footer: it says to have {length} of the file's {file.Length} bytes", whole, again);
        }

        if (length > LimitBytes) throw CheckpointException.At(path, $"a footer of {length} bytes", $"at most {LimitBytes}");
        var footer = new byte[length];
        file.Position = file.Length - end.Length - length;
        file.ReadExactly(footer);
        try
        {
            new ParquetFooter(footer).CheckFile();
        }
        catch (InvalidDataException exception)
        {
            throw CheckpointException.At(path, $"a damaged footer ({exception.Message})", whole, again, exception);
        }
    }

    public static CheckpointException Encrypted(string path) =>
        CheckpointException.At(path, "encrypted Parquet is not supported", "a plain file", "decrypt it where it was made");

    private void CheckFile()
    {
        const int schema = 2;
        var id = 0;
        while (NextField(ref id) is var type and not 0)
        {
            if (id == schema && type == Type.List) CheckSchema();
            else Skip(type, 0);
        }
    }

    // Every element says how many of those after it are its children.
    private void CheckSchema()
    {
        var (count, type) = ListHeader();
        if (type != Type.Struct) throw new InvalidDataException("its schema is no list of structures");
        if (count > SchemaElementLimit) throw new InvalidDataException($"a schema of {count} elements");
        var open = new Stack<int>();
        for (; count > 0; count--)
        {
            var children = Children();
            while (open.TryPop(out var left))
            {
                if (left == 0) continue;
                open.Push(left - 1);
                break;
            }

            if (children <= 0) continue;
            open.Push(children);
            if (open.Count > DepthLimit) throw new InvalidDataException($"a schema more than {DepthLimit} levels deep");
        }
    }

    private int Children()
    {
        const int childCount = 5;
        var (id, children) = (0, 0);
        while (NextField(ref id) is var type and not 0)
        {
            if (id == childCount && type == Type.Int32) children = (int)Zigzag(Varint());
            else Skip(type, 1);
        }

        return children;
    }

    /// <summary>The type of the next field of a structure, whose number it changes; 0 at the structure's end.</summary>
    private int NextField(ref int id)
    {
        var header = Byte();
        if (header == 0) return 0;
        id = header >> 4 is > 0 and var step ? id + step : (int)Zigzag(Varint());
        return header & 15;
    }

    private void Skip(int type, int depth)
    {
        if (depth > DepthLimit) throw new InvalidDataException($"structures more than {DepthLimit} levels deep");
        switch (type)
        {
            case Type.True or Type.False: break;
            case Type.Byte: Take(1); break;
            case Type.Int16 or Type.Int32 or Type.Int64: Varint(); break;
            case Type.Double: Take(8); break;
            case Type.Binary: Take(Varint()); break;
            case Type.List or Type.Set:
                var (count, item) = ListHeader();
                for (; count > 0; count--) SkipItem(item, depth + 1);
                break;
            case Type.Map:
                var size = Varint();
                if (size == 0) break;
                var types = Byte();
                for (; size > 0; size--)
                {
                    SkipItem(types >> 4, depth + 1);
                    SkipItem(types & 15, depth + 1);
                }

                break;
            case Type.Struct:
                var id = 0;
                while (NextField(ref id) is var field and not 0) Skip(field, depth + 1);
                break;
            default: throw new InvalidDataException($"a field of type {type}");
        }
    }

    // A truth value is in the header of a field, and a byte of its own in a list.
    private void SkipItem(int type, int depth) => Skip(type is Type.True or Type.False ? Type.Byte : type, depth);

    private (ulong Count, int Type) ListHeader()
    {
        var header = Byte();
        var count = header >> 4 == 15 ? Varint() : (ulong)(header >> 4);
        return count <= (ulong)_rest.Length
            ? (count, header & 15)
            : throw new InvalidDataException($"a list of {count} items in {_rest.Length} bytes");
    }

    private byte Byte()
    {
        if (_rest.IsEmpty) throw new InvalidDataException("it ends too early");
        var first = _rest[0];
        _rest = _rest[1..];
        return first;
    }

    private ulong Varint()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = Byte();
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80) return value;
        }

        throw new InvalidDataException("a number of more than 64 bits");
    }

    private void Take(ulong count)
    {
        if (count > (ulong)_rest.Length) throw new InvalidDataException($"a value of {count} bytes where {_rest.Length} are left");
        _rest = _rest[(int)count..];
    }

    private static long Zigzag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);

    private static class Type
    {
        public const int True = 1, False = 2, Byte = 3, Int16 = 4, Int32 = 5, Int64 = 6, Double = 7, Binary = 8, List = 9, Set = 10,
            Map = 11, Struct = 12;
    }
}
