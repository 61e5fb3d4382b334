using System.IO.Compression;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// The bytes of a table, unpacked where they are gzip, and what they are: a file is taken for what it holds, not for what it is called.
/// </summary>
internal sealed class TableFile : IDisposable
{
    private const long LimitBytes = 4L << 30;

    /// <summary>Text shrinks to a tenth, at best to a fiftieth; what grows more than this was made to fill a memory or a disk.</summary>
    private const long MostGrowth = 200;

    /// <summary>Unpacked bytes that no file grows to too fast.</summary>
    private const long FreeBytes = 64 << 20;

    /// <summary>Whether the base library says that gzip is cut off, which by default it passes over in silence.</summary>
    private static readonly bool s_findsCuts = FindsCuts();

    private readonly FileStream _file;
    private readonly Stream _content;
    private readonly byte[] _start = new byte[FileSignature.LengthBytes];
    private readonly int _startLength;
    private int _startTaken;
    private long _taken;

    private TableFile(string path, FileStream file)
    {
        (Path, _file, _content) = (path, file, file);
        if (file.Length > LimitBytes) throw CheckpointException.At(path, $"{file.Length} bytes", $"at most {LimitBytes}");
        Signature = ForeignFile.SignatureOf(file);
        if (Signature?.Format == FileFormat.Gzip)
        {
            IsGzip = true;
            if (!s_findsCuts)
            {
                throw CheckpointException.At(
                    path, "it is compressed with gzip, and this program was told not to check that", "a plain file", Signature.Remedy);
            }

            _content = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true);
        }

        try
        {
            _startLength = _content.ReadAtLeast(_start, _start.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(exception);
        }

        if (IsGzip) Signature = FileSignature.Of(_start.AsSpan(0, _startLength));
    }

    public string Path { get; }

    public bool IsGzip { get; }

    /// <summary>Of the content, unpacked; null for text.</summary>
    public FileSignature? Signature { get; }

    public bool IsEmpty => _startLength == 0;

    /// <summary>Its first bytes, for a guess at what a text is.</summary>
    public ReadOnlySpan<byte> Start => _start.AsSpan(0, _startLength);

    /// <summary>Opens a file at the start of its content.</summary>
    /// <exception cref="CheckpointException">No regular file that can be read.</exception>
    public static TableFile Open(string path)
    {
        FileStream? file = null;
        try
        {
            file = ForeignFile.OpenRead(path);
            return new TableFile(path, file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw CheckpointException.At(path, exception.Message, "a file that can be read", inner: exception);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>Passes over a byte-order mark, before anything is read; its length.</summary>
    public int SkipMark() => _startTaken = Start.StartsWith("\uFEFF"u8) ? 3 : 0;

    /// <summary>The next bytes of the content; 0 at its end.</summary>
    public int Read(Span<byte> buffer)
    {
        if (_startTaken < _startLength)
        {
            var first = Math.Min(buffer.Length, _startLength - _startTaken);
            _start.AsSpan(_startTaken, first).CopyTo(buffer);
            _startTaken += first;
            _taken += first;
            return first;
        }

        try
        {
            var read = _content.Read(buffer);
            _taken += read;
            if (_taken > LimitBytes || (IsGzip && _taken > FreeBytes && _taken / MostGrowth > _file.Length))
            {
                throw CheckpointException.At(
                    Path, $"more than {_taken} bytes unpacked from {_file.Length}",
                    $"at most {LimitBytes}, and at most {MostGrowth} times as many as packed", "unpack it and see what it is");
            }

            return read;
        }
        catch (InvalidDataException exception)
        {
            throw Damaged(exception);
        }
    }

    /// <summary>The file itself, at its start; disposed with this.</summary>
    public FileStream Raw()
    {
        _file.Position = 0;
        return _file;
    }

    public void Dispose()
    {
        _content.Dispose();
        _file.Dispose();
    }

    private static bool FindsCuts()
    {
        // The switch counts from when compression is first used in the process: then it may be too late.
        AppContext.SetSwitch("System.IO.Compression.UseStrictValidation", isEnabled: true);
        using var cut = new GZipStream(new MemoryStream([0x1F, 0x8B, 8]), CompressionMode.Decompress);
        try
        {
            return cut.ReadByte() >= 0;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }

    private CheckpointException Damaged(InvalidDataException exception) => CheckpointException.At(
        Path, $"it is gzip that is damaged or cut off ({exception.Message})", "a whole file", "download or copy it again", exception);
}
