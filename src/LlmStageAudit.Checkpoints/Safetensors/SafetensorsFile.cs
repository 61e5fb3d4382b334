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
    /// <exception cref="CheckpointException">The file cannot be read or breaks the format.</exception>
    public static SafetensorsFile Open(string path)
    {
        FileStream? stream = null;
        try
        {
            stream = ForeignFile.OpenRead(path);
            return new SafetensorsFile(path, stream);
        }
        catch (Exception fault)
        {
            stream?.Dispose();
            if (fault is IOException or UnauthorizedAccessException or NotSupportedException) throw Unreadable(path, fault);
            throw;
        }
    }

    /// <summary>Hands a tensor over window by window, in order; none where it has no elements.</summary>
    /// <exception cref="ArgumentException">The entry belongs to another file, or its elements are no whole bytes.</exception>
    /// <exception cref="CheckpointException">The file was shortened after it was opened.</exception>
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

    /// <summary>The elements as float32, row-major; F16 and BF16 widen exactly, F64 rounds to nearest.</summary>
    /// <exception cref="CheckpointException">No such tensor, or not of a floating dtype, or too many elements for one array.</exception>
    public float[] ReadSingles(string name)
    {
        if (!Tensors.TryGetValue(name, out var entry))
        {
            throw CheckpointException.At(
                Path, $"has no tensor {MessageText.Quote(name)}", null, MessageText.NearestHint(name, Tensors.Keys));
        }

        if (entry.Dtype is not (SafetensorsDtype.F32 or SafetensorsDtype.F16 or SafetensorsDtype.BF16 or SafetensorsDtype.F64))
        {
            throw CheckpointException.AtTensor(
                Path, name, $"dtype {entry.Dtype}", "F32, F16, BF16 or F64", "convert the weights to a floating-point dtype");
        }

        if (entry.ElementCount > Array.MaxLength)
        {
            throw CheckpointException.AtTensor(Path, name, $"{entry.ElementCount} elements", $"at most {Array.MaxLength} in one array",
                "read it window by window instead");
        }

        var values = new float[entry.ElementCount];
        var elementBytes = entry.Dtype.SizeBits() / 8;
        var chunk = new byte[Math.Min(entry.SizeBytes, WindowBytes)];
        for (var done = 0L; done < entry.SizeBytes; done += chunk.Length)
        {
            var bytes = chunk.AsSpan(0, (int)Math.Min(chunk.Length, entry.SizeBytes - done));
            Copy(entry, done, bytes);
            var part = values.AsSpan((int)(done / elementBytes), bytes.Length / elementBytes);
            for (var i = 0; i < part.Length; i++) part[i] = Widened(entry.Dtype, bytes[(i * elementBytes)..]);
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
        // No header that is accepted looks like the start of anything else.
        if (ForeignFile.SignatureOf(stream) is { Format: not FileFormat.Safetensors } other)
        {
            throw ForeignFile.PickleIn(stream) is { } pickle
                ? CheckpointException.At(path, $"is {pickle}, which is not opened because loading one can run code", "a safetensors file",
                    PickleSignature.Remedy)
                : CheckpointException.At(path, $"is {other.Found}", "a safetensors file", other.Remedy);
        }

        var sizeBytes = stream.Length;
        if (sizeBytes < 8) throw Damaged($"holds {sizeBytes} bytes", "at least the 8 bytes of the header length");
        Span<byte> prefix = stackalloc byte[8];
        stream.ReadExactly(prefix);
        var lengthBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (lengthBytes > (ulong)SafetensorsHeader.LongestBytes)
            throw Damaged($"header length {lengthBytes}", $"at most {SafetensorsHeader.LongestBytes} bytes");
        if ((long)lengthBytes > sizeBytes - 8)
        {
            throw Damaged(
                $"the header needs {lengthBytes} bytes after the first 8, the file holds {sizeBytes} bytes", "a whole header");
        }

        var json = new byte[lengthBytes];
        stream.ReadExactly(json);
        return new SafetensorsHeader(path, json, sizeBytes);

        CheckpointException Damaged(string found, string expected) =>
            CheckpointException.At(path, found, expected, SafetensorsHeader.FetchAgain);
    }

    private static CheckpointException Unreadable(string path, Exception fault) =>
        CheckpointException.At(path, $"cannot be read ({fault.Message})", "a readable safetensors file", inner: fault);

    private static float Widened(SafetensorsDtype dtype, ReadOnlySpan<byte> element) => dtype switch
    {
        SafetensorsDtype.F32 => BinaryPrimitives.ReadSingleLittleEndian(element),
        SafetensorsDtype.F16 => (float)BinaryPrimitives.ReadHalfLittleEndian(element),
        SafetensorsDtype.BF16 => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(element) << 16),
        _ => (float)BinaryPrimitives.ReadDoubleLittleEndian(element),
    };

    /// <summary>Copies a stretch of a tensor's bytes.</summary>
    /// <exception cref="ArgumentException">The entry belongs to another file.</exception>
    internal void Copy(TensorEntry entry, long offsetBytes, Span<byte> destination)
    {
        Demand(entry);
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
            throw SafetensorsHeader.Truncated(Path, entry.Name, entry.OffsetBytes + entry.SizeBytes, fileBytes);
        }

        try
        {
            return _mapping.CreateViewAccessor(start, sizeBytes, MemoryMappedFileAccess.Read);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(Path, fault);
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
