using System.Text;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// CSV as RFC 4180 has it, also with tabs: quoted fields hold delimiters, line ends and doubled quotes. Line ends are LF,
/// CR LF or CR; lines with nothing in them are passed over; a quote inside an unquoted field is an ordinary character.
/// </summary>
internal static class DelimitedReader
{
    public const int FieldLimitCharacters = 16 << 20;

    public static CommentSet Read(string path, char delimiter)
    {
        using var source = new Utf8Source(path);
        var field = new StringBuilder();
        var columns = ReadHeader(source, delimiter, field);
        var rows = new List<CommentRow>();
        while (NextRecord(source, delimiter, field, columns.Names.Count) is var (cells, line))
        {
            if (cells.Count != columns.Names.Count)
            {
                throw source.Fault(
                    line, $"{cells.Count} fields", $"{columns.Names.Count}, as in the header",
                    "is a delimiter or a line end missing its quotes?");
            }

            rows.Add(new CommentRow(columns, cells.ToArray<object?>(), rows.Count + 1, line));
        }

        return new CommentSet(columns, rows);
    }

    private static CommentColumns ReadHeader(Utf8Source source, char delimiter, StringBuilder field)
    {
        if (NextRecord(source, delimiter, field, CommentColumns.Limit) is not var (names, line))
        {
            throw CheckpointException.At(source.Path, "an empty file", "a header row");
        }

        var columns = new CommentColumns(source.Path);
        foreach (var name in names)
        {
            // Data frames write their row numbers as a first column without a name.
            if (name.Length == 0 && columns.Names.Count > 0)
            {
                throw source.Fault(
                    line, $"column {columns.Names.Count + 1} has no name", "a name for each column");
            }

            if (!columns.TryAdd(name))
            {
                throw source.Fault(line, $"the column '{name}' stands there twice", "each once");
            }
        }

        return columns;
    }

    /// <summary>The next record that is not an empty line and the line it starts in, or null at the end of the file.</summary>
    private static (List<string> Cells, int Line)? NextRecord(Utf8Source source, char delimiter, StringBuilder field, int expectedCells)
    {
        while (source.TakeLineEnd())
        {
        }

        if (source.Peek() == Utf8Source.End) return null;
        var line = source.Line;
        var cells = new List<string>(Math.Min(expectedCells, 64));
        while (true)
        {
            if (cells.Count == CommentColumns.Limit)
            {
                throw source.Fault(line, "too many fields", $"at most {CommentColumns.Limit}");
            }
            cells.Add(NextField(source, delimiter, field.Clear()));
            if (source.Peek() == delimiter) source.Take();
            else if (source.TakeLineEnd() || source.Peek() == Utf8Source.End) return (cells, line);
            else throw source.Fault(source.Line, "text after a closing quote", "a delimiter or a doubled quote");
        }
    }

    private static string NextField(Utf8Source source, char delimiter, StringBuilder field)
    {
        if (source.Peek() == '"') return NextQuotedField(source, field);
        for (var next = source.Peek(); next != delimiter && next is not ('\n' or '\r' or Utf8Source.End); next = source.Peek())
        {
            Append(field, source.Take(), source, source.Line);
        }

        return field.ToString();
    }

    private static string NextQuotedField(Utf8Source source, StringBuilder field)
    {
        var line = source.Line;
        source.Take();
        while (true)
        {
            var next = source.Take();
            if (next == Utf8Source.End)
            {
                throw source.Fault(line, "a quote that is never closed", "a closing quote");
            }
            if (next == '"')
            {
                if (source.Peek() != '"') return field.ToString();
                source.Take();
            }

            Append(field, next, source, line);
        }
    }

    private static void Append(StringBuilder field, int character, Utf8Source source, int line)
    {
        if (field.Length == FieldLimitCharacters)
        {
            throw source.Fault(
                line, $"a field of more than {FieldLimitCharacters} characters", "shorter fields",
                "is a closing quote missing?");
        }

        field.Append((char)character);
    }
}
