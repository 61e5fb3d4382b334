using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Checkpoints.Safetensors;

/// <summary>
/// A safetensors file, read through a read-only mapping: one window at a time, so that of a file of any size at most
/// <see cref="WindowBytes"/> lie in memory. The header is checked whole before anything is handed out, so that every entry lies
/// inside the file; a file that is shortened later is told of when a window behind its new end is asked for.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    /// <summary>The longest stretch of the file that is in memory at a time: a whole number of elements of every dtype.</summary>
    internal const int WindowBytes = 2 << 20;

    private readonly FileStream _stream;
    private readonly MemoryMappedFile _mapping;
    private readonly SafetensorsHeader _header;
    private bool _disposed;

    private SafetensorsFile(string path, FileStream stream)
    {
        Path = path;
        _stream = stream;
        _header = ReadHeader(path, stream);
        _mapping = MemoryMappedFile.CreateFromFile(
            stream, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
    }

    /// <summary>Takes one window of a tensor.</summary>
    /// <param name="address">Of its first element, valid during the call; unaligned where the writer did not pad the header.</param>
    /// <param name="first">Index of that element in the row-major tensor.</param>
    /// <param name="count">Elements in the window.</param>
    public delegate void WindowReader(nint address, long first, long count);

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
            var stream = ForeignFile.OpenRead(path);
            try
            {
                return new SafetensorsFile(path, stream);
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw SafetensorsException.Unreadable(path, fault);
        }
    }

    /// <summary>Hands a tensor over window by window, in order; none where it has no elements.</summary>
    /// <exception cref="ArgumentException">The entry belongs to another file, or its elements are no whole bytes.</exception>
    /// <exception cref="SafetensorsException">The file was shortened after it was opened.</exception>
    public void ReadWindows(TensorEntry entry, WindowReader read)
    {
        Demand(entry);
        var elementBits = entry.Dtype.SizeBits();
        if (elementBits % 8 != 0) throw new ArgumentException($"'{entry.Name}' is packed as {entry.Dtype}.", nameof(entry));
        var elementBytes = elementBits / 8;
        for (var done = 0L; done < entry.SizeBytes; done += WindowBytes)
        {
            var sizeBytes = Math.Min(WindowBytes, entry.SizeBytes - done);
            using var view = Window(entry, done, sizeBytes);
            var address = checked(view.SafeMemoryMappedViewHandle.DangerousGetHandle() + (nint)view.PointerOffset);
            read(address, done / elementBytes, sizeBytes / elementBytes);
        }
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

        for (var done = 0; done < destination.Length; done += WindowBytes)
        {
            Copy(entry, done, destination.Slice(done, Math.Min(WindowBytes, destination.Length - done)));
        }
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
        var chunkElements = WindowBytes / elementBytes;
        var chunk = new byte[Math.Min(values.Length, chunkElements) * elementBytes];
        for (var done = 0; done < values.Length;)
        {
            var count = Math.Min(values.Length - done, chunkElements);
            var bytes = chunk.AsSpan(0, count * elementBytes);
            Copy(entry, (long)done * elementBytes, bytes);
            Widen(entry.Dtype, bytes, values.AsSpan(done, count));
            done += count;
        }

        return values;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _mapping.Dispose();
        _stream.Dispose();
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
            // No header that is accepted has a length that looks like the start of a pickle.
            if (ForeignFile.PickleIn(stream) is { } found) throw SafetensorsException.Pickled(path, found);
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

    private void Copy(TensorEntry entry, long offsetBytes, Span<byte> destination)
    {
        using var view = Window(entry, offsetBytes, destination.Length);
        view.SafeMemoryMappedViewHandle.ReadSpan((ulong)view.PointerOffset, destination);
    }

    /// <summary>Maps a stretch of a tensor; a read past the file's end ends in a signal, so the length is asked anew.</summary>
    private MemoryMappedViewAccessor Window(TensorEntry entry, long offsetBytes, long sizeBytes)
    {
        var start = entry.OffsetBytes + offsetBytes;
        var fileBytes = RandomAccess.GetLength(_stream.SafeFileHandle);
        if (fileBytes < start + sizeBytes)
        {
            throw SafetensorsException.Truncated(Path, entry.Name, entry.OffsetBytes + entry.SizeBytes, fileBytes);
        }

        try
        {
            return _mapping.CreateViewAccessor(start, sizeBytes, MemoryMappedFileAccess.Read);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw SafetensorsException.Unreadable(Path, fault);
        }
    }

    private void Demand(TensorEntry entry)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!Tensors.TryGetValue(entry.Name, out var own) || !ReferenceEquals(own, entry))
        {
            throw new ArgumentException($"'{entry.Name}' is not an entry of {Path}.", nameof(entry));
        }
    }
}
