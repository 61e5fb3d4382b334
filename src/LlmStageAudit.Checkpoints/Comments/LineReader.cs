namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>The lines of a text that are more than blanks; each ends with LF, CR LF or CR.</summary>
internal sealed class LineReader(Stream stream, string path, int limitBytes) : IDisposable
{
    private byte[] _buffer = new byte[1 << 16];
    private int _start;
    private int _end;
    private int _nextNumber = 1;
    private bool _followsReturn;

    /// <summary>The line, without its end; until the next is read.</summary>
    public ReadOnlyMemory<byte> Line { get; private set; }

    /// <summary>Its number in the file, from 1.</summary>
    public int Number { get; private set; }

    /// <summary>Moves on to the next line; false at the end.</summary>
    /// <exception cref="CheckpointException">A line of too many bytes.</exception>
    public bool Next()
    {
        while (NextOfAll())
        {
            if (Line.Span.IndexOfAnyExcept(" \t\v\f"u8) >= 0) return true;
        }

        return false;
    }

    public CheckpointException Fault(string found, string expected, string? remedy = null) =>
        CheckpointException.At($"{path}, line {Number}", found, expected, remedy);

    public void Dispose() => stream.Dispose();

    private bool NextOfAll()
    {
        Number = _nextNumber;
        for (var searched = 0; ;)
        {
            var rest = _buffer.AsSpan(_start, _end - _start);
            // The second half of CR LF, whose first half ended the line before.
            if (_followsReturn && rest is [(byte)'\n', ..])
            {
                _start++;
                _followsReturn = false;
                continue;
            }

            var at = rest[searched..].IndexOfAny((byte)'\r', (byte)'\n');
            if (at >= 0)
            {
                Line = _buffer.AsMemory(_start, searched + at);
                _start += searched + at + 1;
                _followsReturn = rest[searched + at] == '\r';
                _nextNumber++;
                return true;
            }

            searched = rest.Length;
            if (searched > limitBytes) throw Fault($"more than {limitBytes} bytes", "shorter lines");
            if (Refill()) continue;
            Line = _buffer.AsMemory(_start, searched);
            _start = _end;
            return searched > 0;
        }
    }

    private bool Refill()
    {
        var rest = _end - _start;
        if (rest == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);
        else if (_start > 0) _buffer.AsSpan(_start, rest).CopyTo(_buffer);
        (_start, _end) = (0, rest);
        var read = stream.Read(_buffer.AsSpan(_end));
        _end += read;
        return read > 0;
    }
}
