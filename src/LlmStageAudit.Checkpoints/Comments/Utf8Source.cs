using System.Buffers;
using System.Text.Unicode;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// The characters of a table in UTF-8, in blocks or line by line. A byte that is not UTF-8 is an error when it is reached; a byte-order mark
/// is passed over.
/// </summary>
internal sealed class Utf8Source(TableFile file) : TextReader
{
    private const int BlockSize = 1 << 16;

    private readonly byte[] _bytes = new byte[BlockSize];
    private readonly char[] _characters = new char[BlockSize];
    private int _byteCount;
    private int _position;
    private int _count;
    private long _offset;
    private int _line = 1;
    private bool _endsInReturn;
    private bool _isExhausted;
    private bool _isFaulty;

    public string Path => file.Path;

    /// <inheritdoc/>
    public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

    /// <inheritdoc/>
    public override int Read(Span<char> buffer)
    {
        if (buffer.IsEmpty || (_position == _count && !Refill())) return 0;
        var taken = Math.Min(buffer.Length, _count - _position);
        _characters.AsSpan(_position, taken).CopyTo(buffer);
        Take(taken);
        return taken;
    }

    /// <summary>The next line that is more than blanks, and its number from 1; lines end with LF, CR LF or CR. Null at the end.</summary>
    /// <exception cref="CheckpointException">A longer line.</exception>
    public (string Text, int Number)? NextLine(int limitCharacters)
    {
        var text = new StringBuilder();
        var number = _line;
        while (_position < _count || Refill())
        {
            var rest = _characters.AsSpan(_position, _count - _position);
            // The second half of CR LF, whose first half ended the line before.
            if (text.Length == 0 && _endsInReturn && rest[0] == '\n')
            {
                Take(1);
                number = _line;
                continue;
            }

            var end = rest.IndexOfAny('\r', '\n');
            var part = end < 0 ? rest : rest[..end];
            if (text.Length + part.Length > limitCharacters)
                throw Fault(number, $"more than {limitCharacters} characters", "shorter lines");
            text.Append(part);
            Take(end < 0 ? part.Length : end + 1);
            if (end < 0) continue;
            if (!IsBlank(text)) return (text.ToString(), number);
            text.Clear();
            number = _line;
        }

        return IsBlank(text) ? null : (text.ToString(), number);
    }

    public CheckpointException Fault(int line, string found, string expected, string? remedy = null) =>
        CheckpointException.At($"{Path}, line {line}", found, expected, remedy);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) file.Dispose();
        base.Dispose(disposing);
    }

    private static bool IsBlank(StringBuilder text)
    {
        foreach (var chunk in text.GetChunks())
        {
            if (!chunk.Span.IsWhiteSpace()) return false;
        }

        return true;
    }

    /// <summary>Counts the lines that end in what is taken: CR LF as one, wherever it is cut.</summary>
    private void Take(int count)
    {
        var taken = _characters.AsSpan(_position, count);
        _position += count;
        _line += taken.Count('\n');
        for (var rest = taken; rest.IndexOf('\r') is >= 0 and var at; rest = rest[(at + 1)..])
        {
            if (at + 1 < rest.Length && rest[at + 1] != '\n') _line++;
        }

        // A CR at the end counts at once, and a LF that follows it does not count again.
        if (_endsInReturn && taken[0] == '\n') _line--;
        _endsInReturn = taken[^1] == '\r';
        if (_endsInReturn) _line++;
    }

    private bool Refill()
    {
        if (_isFaulty)
        {
            throw Fault(
                _line, $"the byte 0x{_bytes[0]:X2} at offset {_offset} is not UTF-8", "UTF-8",
                "convert the file; if it is from Windows: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW");
        }

        while (!_isExhausted)
        {
            var read = file.Read(_bytes.AsSpan(_byteCount));
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
