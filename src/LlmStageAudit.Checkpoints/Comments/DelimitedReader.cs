namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// CSV as RFC 4180 has it, also with tabs: quoted fields hold delimiters, line ends and doubled quotes. Line ends are LF,
/// CR LF or CR; lines with nothing in them are passed over; a quote inside an unquoted field is an ordinary character.
/// </summary>
internal sealed class DelimitedReader(Utf8Source source, char delimiter)
{
    public const int FieldLimitCharacters = 16 << 20;

    private readonly StringBuilder _field = new();

    public static CommentSet Read(string path, char delimiter)
    {
        using var source = new Utf8Source(path);
        return new DelimitedReader(source, delimiter).Read();
    }

    private CommentSet Read()
    {
        var columns = ReadHeader();
        var rows = new List<CommentRow>();
        while (NextRecord(columns.Names.Count) is var (cells, line))
        {
            if (cells.Count != columns.Names.Count)
            {
                throw source.Fault(line, $"{cells.Count} fields", $"{columns.Names.Count}, as in the header",
                    "is a delimiter or a line end missing its quotes?");
            }

            rows.Add(new CommentRow(columns, [.. cells], rows.Count + 1, line));
        }

        return new CommentSet(columns, rows);
    }

    private CommentColumns ReadHeader()
    {
        if (NextRecord(CommentColumns.Limit) is not var (names, line))
            throw CheckpointException.At(source.Path, "an empty file", "a header row");
        var columns = new CommentColumns(source.Path);
        foreach (var name in names)
        {
            // Data frames write their row numbers as a first column without a name.
            if (name.Length == 0 && columns.Names.Count > 0)
                throw source.Fault(line, $"column {columns.Names.Count + 1} has no name", "a name for each column");
            if (!columns.TryAdd(name)) throw source.Fault(line, $"the column '{name}' stands there twice", "each once");
        }

        return columns;
    }

    /// <summary>The next record that is not an empty line and the line it starts in, or null at the end of the file.</summary>
    private (List<string> Cells, int Line)? NextRecord(int expectedCells)
    {
        while (source.TakeLineEnd())
        {
        }

        if (source.Peek() == Utf8Source.End) return null;
        var line = source.Line;
        var cells = new List<string>(Math.Min(expectedCells, 64));
        while (true)
        {
            if (cells.Count == CommentColumns.Limit) throw source.Fault(line, "too many fields", $"at most {CommentColumns.Limit}");
            cells.Add(NextField());
            if (source.Peek() == delimiter) source.Take();
            else if (source.TakeLineEnd() || source.Peek() == Utf8Source.End) return (cells, line);
            else throw source.Fault(source.Line, "text after a closing quote", "a delimiter or a doubled quote");
        }
    }

    private string NextField()
    {
        _field.Clear();
        var line = source.Line;
        var isQuoted = source.Peek() == '"';
        if (isQuoted) source.Take();
        while (true)
        {
            var next = source.Peek();
            if (!isQuoted && (next == delimiter || next is '\n' or '\r' or Utf8Source.End)) return _field.ToString();
            if (next == Utf8Source.End) throw source.Fault(line, "a quote that is never closed", "a closing quote");
            source.Take();
            if (isQuoted && next == '"')
            {
                if (source.Peek() != '"') return _field.ToString();
                source.Take();
            }

            if (_field.Length == FieldLimitCharacters)
            {
                throw source.Fault(line, $"a field of more than {FieldLimitCharacters} characters", "shorter fields",
                    "is a closing quote missing?");
            }

            _field.Append((char)next);
        }
    }
}
