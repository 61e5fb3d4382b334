using System.Buffers;
using System.Text.Unicode;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// The characters of a UTF-8 file one by one, with their line. A byte that is not UTF-8 is an error when it is
/// reached; a byte-order mark is passed over.
/// </summary>
internal sealed class Utf8Source : IDisposable
{
    public const int End = -1;
    private const long FileLimitBytes = 4L << 30;
    private const int BlockSize = 1 << 16;

    private readonly Stream _stream;
    private readonly byte[] _bytes = new byte[BlockSize];
    private readonly char[] _characters = new char[BlockSize];
    private int _byteCount;
    private int _position;
    private int _count;
    private long _offset;
    private bool _isExhausted;
    private bool _isFaulty;

    public Utf8Source(string path)
    {
        Path = path;
        try
        {
            _stream = ForeignFile.OpenText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CheckpointException.At(path, exception.Message, "a file that can be read", inner: exception);
        }

        if (_stream.CanSeek && _stream.Length > FileLimitBytes)
        {
            var found = $"{_stream.Length} bytes";
            _stream.Dispose();
            throw CheckpointException.At(path, found, $"at most {FileLimitBytes}");
        }
    }

    public string Path { get; }

    /// <summary>The line of the next character, from 1.</summary>
    public int Line { get; private set; } = 1;

    /// <summary>The next character, or <see cref="End"/>; it stays the next.</summary>
    public int Peek() => _position < _count || Refill() ? _characters[_position] : End;

    /// <summary>Takes the next character, or returns <see cref="End"/>.</summary>
    public int Take()
    {
        var next = Peek();
        if (next == End) return End;
        _position++;
        if (next == '\n' || (next == '\r' && Peek() != '\n')) Line++;
        return next;
    }

    /// <summary>Takes a line end (LF, CR LF or CR) if one is next.</summary>
    public bool TakeLineEnd()
    {
        if (Peek() is not ('\r' or '\n')) return false;
        if (Take() == '\r' && Peek() == '\n') Take();
        return true;
    }

    public CheckpointException Fault(int line, string found, string expected, string? remedy = null) =>
        CheckpointException.At($"{Path}, line {line}", found, expected, remedy);

    public void Dispose() => _stream.Dispose();

    private bool Refill()
    {
        if (_isFaulty)
        {
            throw Fault(Line, $"the byte 0x{_bytes[0]:X2} at offset {_offset} is not UTF-8", "UTF-8", "convert the file (iconv -t UTF-8)");
        }

        while (!_isExhausted)
        {
            var read = _stream.Read(_bytes, _byteCount, _bytes.Length - _byteCount);
            _byteCount += read;
            _isExhausted = read == 0;
            var status = Utf8.ToUtf16(
                _bytes.AsSpan(0, _byteCount), _characters, out var consumed, out _count, replaceInvalidSequences: false,
                isFinalBlock: _isExhausted);
            _byteCount -= consumed;
            _offset += consumed;
            _position = _offset == consumed && _count > 0 && _characters[0] == '\uFEFF' ? 1 : 0;
            _bytes.AsSpan(consumed, _byteCount).CopyTo(_bytes);
            _isFaulty = status == OperationStatus.InvalidData;
            if (_position < _count) return true;
            if (_isFaulty) return Refill();
        }

        return false;
    }
}
