using CsvHelper;
using CsvHelper.Configuration;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// CSV as RFC 4180 has it, also with tabs, parsed by CsvHelper. Line ends are LF, CR LF or CR; lines with nothing in them are passed over; a
/// quote inside an unquoted field is an ordinary character.
/// </summary>
internal sealed class DelimitedTable : CommentTable
{
    public const int FieldLimitCharacters = 16 << 20;

    private readonly char _delimiter;
    private readonly Utf8Source _source;
    private readonly EndedReader _reader;
    private readonly CsvParser _parser;
    private readonly List<(int First, int Last)> _spans = [];
    private int _spanCount;
    private int _line;
    private bool _judgesFields = true;

    public DelimitedTable(TableFile file, char delimiter, bool quoted)
        : this(file, delimiter, quoted, new CommentColumns(file.Path))
    {
    }

    private DelimitedTable(TableFile file, char delimiter, bool quoted, CommentColumns columns)
        : base(columns)
    {
        _delimiter = delimiter;
        _source = new Utf8Source(file);
        _reader = new EndedReader(_source, delimiter, () => _line);
        _parser = new CsvParser(_reader, new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = delimiter.ToString(),
            Mode = quoted ? CsvMode.RFC4180 : CsvMode.NoEscape,
            MaxFieldSize = FieldLimitCharacters + 2,
            BadDataFound = found => RefuseTextAfterQuote(found.Field),
            BufferSize = 1 << 16,
            ExceptionMessagesContainRawData = false,
        });
        ReadHeader(columns);
    }

    public override IReadOnlyList<Warning> Warnings => _spans is not [var (first, last)] ? [] :
    [
        new Warning("quotes-span-lines", $"{Path}: {(_spanCount == 1 ? "a row spans" : $"{_spanCount} rows span")} several lines, "
            + $"the first from line {first} to {last}, because a field begins with a quote; where quotes are ordinary characters, "
            + "as in most TSV, set data.quoting: none"),
    ];

    private protected override IEnumerable<CommentRow> Read(CommentColumns columns)
    {
        var places = Columns.Index()
            .Select(column => (column.Index, Slot: columns.SlotOrNone(column.Item)))
            .Where(place => place.Slot is not null)
            .Select(place => (place.Index, Slot: place.Slot!.Value))
            .ToArray();
        for (var number = 1; NextRecord(); number++)
        {
            if (_parser.Count != Columns.Count)
            {
                throw _source.Fault(_line, $"{_parser.Count} fields", $"{Columns.Count}, as in the header",
                    "is a delimiter or a line end missing its quotes?");
            }

            var cells = new object?[columns.SlotCount];
            foreach (var (index, slot) in places) cells[slot] = Field(index);
            yield return new CommentRow(columns, cells, number, _line);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        _parser.Dispose();
        _source.Dispose();
    }

    private void ReadHeader(CommentColumns columns)
    {
        if (!NextRecord()) throw CheckpointException.At(Path, "an empty file", "a header row");
        if (_parser.RawRecord.StartsWith("{\"", StringComparison.Ordinal))
            throw _source.Fault(_line, "JSON", "a header row", "name JSON lines .jsonl");
        if (_parser.Count > CommentColumns.Limit) throw _source.Fault(_line, "too many fields", $"at most {CommentColumns.Limit}");
        for (var i = 0; i < _parser.Count; i++)
        {
            var name = Field(i);
            // Data frames write their row numbers as a first column without a name.
            if (name.Length == 0 && i > 0) throw _source.Fault(_line, $"column {i + 1} has no name", "a name for each column");
            if (!columns.TryAdd(name)) throw _source.Fault(_line, $"the column '{name}' stands there twice", "each once");
        }

        if (columns.Names is [var only] && !_parser.RawRecord.StartsWith('"') && OtherDelimiter(only) is { } other)
        {
            var (found, remedy) = other;
            throw _source.Fault(_line, $"one column, {MessageText.Cell(only)}: the file seems to be separated by {found}", "a header row "
                + $"separated by {(_delimiter == ',' ? "commas" : "tabs")}", remedy);
        }
    }

    private (string Found, string Remedy)? OtherDelimiter(string header) =>
        _delimiter != '\t' && header.Contains('\t') ? ("tabs", "name it .tsv")
        : header.Contains(';') ? ("';'", "write it with commas, as pandas does: "
            + "python -c \"import pandas; pandas.read_csv('FILE', sep=';').to_csv('NEW.csv', index=False)\"")
        : header.Contains('|') ? ("'|'", "write it with commas, as pandas does: "
            + "python -c \"import pandas; pandas.read_csv('FILE', sep='|').to_csv('NEW.csv', index=False)\"")
        : _delimiter != ',' && header.Contains(',') ? ("commas", "name it .csv")
        : null;

    /// <summary>Moves on to the next record and says in <see cref="_line"/> where it begins; false at the end of the file.</summary>
    private bool NextRecord()
    {
        // The parser counts lines that are passed over as rows, and the lines of a record as raw rows.
        var (row, rawRow) = (_parser.Row, _parser.RawRow);
        _line = rawRow + 1;
        try
        {
            if (!_parser.Read()) throw NeverClosed();
        }
        catch (MaxFieldSizeException)
        {
            throw TooLong();
        }

        _line = rawRow + _parser.Row - row;
        if (_reader.IsEnded && AtEnd()) return false;
        _reader.BeginRecord();
        if (_delimiter == '\t' && _parser.RawRow > _line)
        {
            if (_spanCount++ == 0) _spans.Add((_line, _parser.RawRow));
        }

        return true;
    }

    /// <summary>Whether this is the line after the last; one that a field has swallowed shows that its quote was never closed.</summary>
    private bool AtEnd()
    {
        _judgesFields = false;
        var last = _parser[_parser.Count - 1];
        _judgesFields = true;
        if (!last.EndsWith(_reader.LastLine, StringComparison.Ordinal)) return false;
        return _parser.Count == 1 && last.Length == _reader.LastLine.Length ? true : throw NeverClosed();
    }

    private string Field(int index)
    {
        var field = _parser[index];
        return field.Length <= FieldLimitCharacters ? field : throw TooLong();
    }

    private void RefuseTextAfterQuote(string raw)
    {
        if (_judgesFields && raw.StartsWith('"'))
            throw _source.Fault(_line, "text after a closing quote", "a delimiter or a doubled quote", "or quoting: none, where nothing is quoted");
    }

    private CheckpointException NeverClosed() => _source.Fault(
        _line, "a quote that is never closed", "a closing quote", "or quoting: none, where nothing is quoted");

    private CheckpointException TooLong() => _source.Fault(
        _line, $"a field of more than {FieldLimitCharacters} characters", "shorter fields", "is a closing quote missing?");

    /// <summary>
    /// The text with a line of its own after it, which is found again unless a quote that is open at the end has swallowed it; refuses records
    /// whose fields would fill the memory.
    /// </summary>
    private sealed class EndedReader(Utf8Source source, char delimiter, Func<int> line) : TextReader
    {
        private const int MostDelimiters = 1 << 20;

        private int _ending;
        private int _delimiters;

        public string LastLine { get; } = Guid.NewGuid().ToString("N");

        public bool IsEnded => _ending == LastLine.Length + 1;

        public void BeginRecord() => _delimiters = 0;

        public override int Read(char[] buffer, int index, int count)
        {
            var read = source.Read(buffer, index, count);
            if (read == 0)
            {
                read = Math.Min(count, LastLine.Length + 1 - _ending);
                $"\n{LastLine}".AsSpan(_ending, read).CopyTo(buffer.AsSpan(index));
                _ending += read;
            }

            _delimiters += buffer.AsSpan(index, read).Count(delimiter);
            return _delimiters <= MostDelimiters ? read : throw source.Fault(line(), "too many fields", $"at most {CommentColumns.Limit}");
        }
    }
}
