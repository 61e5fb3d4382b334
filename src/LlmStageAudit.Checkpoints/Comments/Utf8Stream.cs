using System.Buffers;
using System.Text.Unicode;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// The bytes of a table that are UTF-8, without a byte-order mark. A byte that is not is an error when it is reached, with its line.
/// </summary>
internal sealed class Utf8Stream(TableFile file) : Stream
{
    private const int BlockSize = 1 << 16;

    private readonly byte[] _block = new byte[BlockSize];
    private int _start;
    private int _sound;
    private int _end;
    private long _offset = file.SkipMark();
    private int _line = 1;
    private bool _endsInReturn;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || (_start == _sound && !Refill())) return 0;
        var taken = _block.AsSpan(_start, Math.Min(buffer.Length, _sound - _start));
        taken.CopyTo(buffer);
        _start += taken.Length;
        _offset += taken.Length;
        CountLines(taken);
        return taken.Length;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) file.Dispose();
        base.Dispose(disposing);
    }

    private bool Refill()
    {
        var rest = _block.AsSpan(_start, _end - _start);
        rest.CopyTo(_block);
        (_start, _sound, _end) = (0, 0, rest.Length);
        while (true)
        {
            var read = file.Read(_block.AsSpan(_end));
            _end += read;
            if (_end == 0) return false;
            _sound = SoundLength(_block.AsSpan(0, _end));
            if (_sound > 0) return true;
            if (read == 0 || IsFaulty(_block.AsSpan(0, _end))) throw Fault();
        }
    }

    /// <summary>How many bytes are whole characters: all but the first halves at the end, or those before the first that is none.</summary>
    private static int SoundLength(ReadOnlySpan<byte> bytes)
    {
        for (var cut = 0; cut <= Math.Min(3, bytes.Length); cut++)
        {
            if (Utf8.IsValid(bytes[..^cut])) return bytes.Length - cut;
        }

        var length = 0;
        while (Rune.DecodeFromUtf8(bytes[length..], out _, out var count) == OperationStatus.Done) length += count;
        return length;
    }

    private static bool IsFaulty(ReadOnlySpan<byte> bytes) => Rune.DecodeFromUtf8(bytes, out _, out _) == OperationStatus.InvalidData;

    private CheckpointException Fault() => CheckpointException.At(
        $"{file.Path}, line {_line}", $"the byte 0x{_block[0]:X2} at offset {_offset} is not UTF-8", "UTF-8",
        "convert the file; if it is from Windows: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW");

    // CR, LF and CR LF end a line each. A CR counts at once, and a LF that follows it does not count again, wherever they are cut apart.
    private void CountLines(ReadOnlySpan<byte> bytes)
    {
        if (_endsInReturn && bytes[0] == '\n') _line--;
        _endsInReturn = bytes[^1] == '\r';
        _line += bytes.Count((byte)'\n') + bytes.Count((byte)'\r') - bytes.Count("\r\n"u8);
    }
}
