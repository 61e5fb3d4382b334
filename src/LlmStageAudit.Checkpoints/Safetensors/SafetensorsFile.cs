using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;

namespace LlmStageAudit.Checkpoints.Safetensors;

/// <summary>
/// A safetensors file mapped read-only into memory. The header is checked whole before anything is handed out, so that every
/// entry lies inside the mapping. The file must not be shortened while it is open: the system answers a read past its end with a signal.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private const int ChunkElements = 1 << 18;

    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private readonly SafetensorsHeader _header;
    private bool _disposed;

    private SafetensorsFile(string path, SafetensorsHeader header, MemoryMappedFile mapping, MemoryMappedViewAccessor view)
    {
        Path = path;
        _header = header;
        _mapping = mapping;
        _view = view;
    }

    /// <summary>The path as it was given to <see cref="Open"/>.</summary>
    public string Path { get; }

    /// <summary>Tensors by name, in the order of their bytes.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => _header.Tensors;

    /// <summary>The strings under <c>__metadata__</c>; empty where the file has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Maps the file and checks its header.</summary>
    /// <exception cref="SafetensorsException">The file cannot be read or breaks the format.</exception>
    public static SafetensorsFile Open(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            var header = ReadHeader(path, stream);
            var mapping = MemoryMappedFile.CreateFromFile(
                stream, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
            try
            {
                return new SafetensorsFile(path, header, mapping, mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read));
            }
            catch
            {
                mapping.Dispose();
                throw;
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw SafetensorsException.Unreadable(path, fault);
        }
    }

    /// <summary>
    /// Address of the tensor's first element, valid until <see cref="Dispose"/>; unaligned where the writer did not pad the header.
    /// </summary>
    /// <exception cref="ArgumentException">The entry belongs to another file.</exception>
    public nint Address(TensorEntry entry)
    {
        Demand(entry);
        return checked(_view.SafeMemoryMappedViewHandle.DangerousGetHandle() + (nint)(_view.PointerOffset + entry.OffsetBytes));
    }

    /// <summary>Copies the tensor's bytes; the destination must hold exactly <see cref="TensorEntry.SizeBytes"/>.</summary>
    public void CopyTo(TensorEntry entry, Span<byte> destination)
    {
        Demand(entry);
        if (destination.Length != entry.SizeBytes)
        {
            var found = $"'{entry.Name}' has {entry.SizeBytes} bytes, the destination {destination.Length}.";
            throw new ArgumentException(found, nameof(destination));
        }

        Copy(entry.OffsetBytes, destination);
    }

    /// <summary>The elements as float32, row-major; F16 and BF16 widen exactly, F64 rounds to nearest.</summary>
    /// <exception cref="SafetensorsException">No such tensor, or not of a floating dtype, or too many elements for one array.</exception>
    public float[] ReadSingles(string name)
    {
        if (!Tensors.TryGetValue(name, out var entry)) throw SafetensorsException.Missing(Path, name, Tensors.Keys);
        Demand(entry);
        if (entry.Dtype is not (SafetensorsDtype.F32 or SafetensorsDtype.F16 or SafetensorsDtype.BF16 or SafetensorsDtype.F64))
        {
            throw SafetensorsException.NotFloating(Path, entry);
        }

        if (entry.ElementCount > Array.MaxLength) throw SafetensorsException.TooLarge(Path, entry);
        var values = new float[entry.ElementCount];
        var elementBytes = entry.Dtype.SizeBits() / 8;
        var chunk = new byte[Math.Min(values.Length, ChunkElements) * elementBytes];
        for (var done = 0; done < values.Length;)
        {
            var count = Math.Min(values.Length - done, ChunkElements);
            var bytes = chunk.AsSpan(0, count * elementBytes);
            Copy(entry.OffsetBytes + ((long)done * elementBytes), bytes);
            Widen(entry.Dtype, bytes, values.AsSpan(done, count));
            done += count;
        }

        return values;
    }

    public void Dispose()
    {
        _disposed = true;
        _view.Dispose();
        _mapping.Dispose();
    }

    private static SafetensorsHeader ReadHeader(string path, FileStream stream)
    {
        var sizeBytes = stream.Length;
        if (sizeBytes < 8) throw SafetensorsException.TooShort(path, sizeBytes);
        Span<byte> prefix = stackalloc byte[8];
        stream.ReadExactly(prefix);
        var lengthBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (lengthBytes > (ulong)SafetensorsHeader.LongestBytes)
        {
            throw SafetensorsException.HeaderTooLong(path, lengthBytes, SafetensorsHeader.LongestBytes);
        }

        if ((long)lengthBytes > sizeBytes - 8) throw SafetensorsException.HeaderCut(path, (long)lengthBytes, sizeBytes);
        var json = new byte[lengthBytes];
        stream.ReadExactly(json);
        return SafetensorsHeader.Parse(path, json, sizeBytes);
    }

    private static void Widen(SafetensorsDtype dtype, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        switch (dtype)
        {
            case SafetensorsDtype.F32:
                for (var i = 0; i < values.Length; i++) values[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * 4)..]);
                break;
            case SafetensorsDtype.F16:
                for (var i = 0; i < values.Length; i++) values[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(i * 2)..]);
                break;
            case SafetensorsDtype.BF16:
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes[(i * 2)..]) << 16);
                }

                break;
            default:
                for (var i = 0; i < values.Length; i++) values[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes[(i * 8)..]);
                break;
        }
    }

    private void Copy(long offsetBytes, Span<byte> destination) =>
        _view.SafeMemoryMappedViewHandle.ReadSpan((ulong)(_view.PointerOffset + offsetBytes), destination);

    private void Demand(TensorEntry entry)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!Tensors.TryGetValue(entry.Name, out var own) || !ReferenceEquals(own, entry))
        {
            throw new ArgumentException($"'{entry.Name}' is not an entry of {Path}.", nameof(entry));
        }
    }
}
