using CsvHelper;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// CSV as RFC 4180 has it, also with tabs, parsed by CsvHelper. Line ends are LF, CR LF or CR; lines with nothing in them are passed over;
/// a quote inside an unquoted field is an ordinary character.
/// </summary>
internal sealed class DelimitedTable : CommentTable
{
    public const int FieldLimitCharacters = 16 << 20;

    private const int RowLimitBytes = 32 << 20;
    private const string WhereNotQuoted = "or data.quoting: none, where nothing is quoted";

    private readonly char _delimiter;
    private readonly CsvReader _reader;
    private bool _hasStrayQuote;
    private int _spanCount;
    private (int First, int Last) _firstSpan;

    public DelimitedTable(TableFile file, char delimiter, bool quoted)
        : this(file, delimiter, quoted, new CommentColumns(file.Path))
    {
    }

    private DelimitedTable(TableFile file, char delimiter, bool quoted, CommentColumns columns)
        : base(columns)
    {
        _delimiter = delimiter;
        var options = new CsvReaderOptions
        {
            Separator = delimiter,
            Mode = quoted ? CsvMode.Rfc4180 : CsvMode.NoEscape,
            Encoding = Encoding.UTF8,
            HasHeader = false,
            TrackLineNumbers = true,
            MaxRecordSize = RowLimitBytes,
            IncludeValuesInExceptions = false,
            OnMalformedRecord = Judge,
        };
        _reader = CsvReader.Create(new Utf8Stream(file), options, leaveOpen: false);
        ReadHeader(columns);
    }

    public override IReadOnlyList<Warning> Warnings => _spanCount == 0 ? [] :
    [
        new Warning(
            "quotes-span-lines",
            $"{Path}: {(_spanCount == 1 ? "a row spans" : $"{_spanCount} rows span")} several lines, the first from line {_firstSpan.First} "
            + $"to {_firstSpan.Last}, because a field begins with a quote; where quotes are ordinary characters, as in most TSV, set "
            + "data.quoting: none"),
    ];

    private int Line => (int)Math.Min(_reader.LineNumber, int.MaxValue);

    private protected override IEnumerable<CommentRow> Read(CommentColumns columns)
    {
        var places = Columns.Index()
            .Select(column => (column.Index, Slot: columns.SlotOrNone(column.Item)))
            .Where(place => place.Slot is not null)
            .Select(place => (place.Index, Slot: place.Slot!.Value))
            .ToArray();
        for (var number = 1; NextRecord(); number++)
        {
            if (_reader.FieldCount != Columns.Count)
            {
                throw Fault(Line, $"{_reader.FieldCount} fields", $"{Columns.Count}, as in the header",
                    "is a delimiter or a line end missing its quotes?");
            }

            var cells = new object?[columns.SlotCount];
            foreach (var (index, slot) in places) cells[slot] = Field(index);
            yield return new CommentRow(columns, cells, number, Line);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _reader.Dispose();
    }

    private void ReadHeader(CommentColumns columns)
    {
        if (!NextRecord()) throw CheckpointException.At(Path, "an empty file", "a header row");
        if (_reader.RawRecord.StartsWith("{\""u8)) throw Fault(Line, "JSON", "a header row", "name a file of JSON lines .jsonl");
        if (_reader.FieldCount > CommentColumns.Limit) throw Fault(Line, "too many fields", $"at most {CommentColumns.Limit}");
        for (var i = 0; i < _reader.FieldCount; i++)
        {
            var name = Field(i);
            // Data frames write their row numbers as a first column without a name.
            if (name.Length == 0 && i > 0) throw Fault(Line, $"column {i + 1} has no name", "a name for each column");
            if (!columns.TryAdd(name)) throw Fault(Line, $"the column '{name}' stands there twice", "each once");
        }

        if (columns.Names is not [var only] || _reader.RawRecord.StartsWith((byte)'"')) return;
        if (OtherDelimiter(only) is not var (other, remedy)) return;
        throw Fault(Line, $"one column, {MessageText.Cell(only)}: the file seems to be separated by {other}",
            $"columns separated by {(_delimiter == ',' ? "commas" : "tabs")}", remedy);
    }

    private (string Other, string Remedy)? OtherDelimiter(string header)
    {
        if (_delimiter == ',' && header.Contains('\t')) return ("tabs", "name it .tsv");
        if (_delimiter == '\t' && header.Contains(',')) return ("commas", "name it .csv");
        var at = header.IndexOfAny([';', '|']);
        return at < 0 ? null : ($"'{header[at]}'", "write it with commas: "
            + $"python -c \"import pandas; pandas.read_csv('FILE', sep='{header[at]}').to_csv('NEW.csv', index=False)\"");
    }

    /// <summary>Moves on to the next record; false at the end of the file.</summary>
    private bool NextRecord()
    {
        _hasStrayQuote = false;
        try
        {
            if (!_reader.Read()) return false;
        }
        catch (CsvFormatException exception)
        {
            throw Fault(
                (int)exception.LineNumber, $"a row of more than {RowLimitBytes} bytes", "shorter rows", "is a closing quote missing?");
        }

        if (_hasStrayQuote) CheckQuotes();
        if (_delimiter == '\t' && _reader.RawRecord.IndexOfAny((byte)'\n', (byte)'\r') >= 0 && _spanCount++ == 0)
        {
            var ends = Encoding.UTF8.GetString(_reader.RawRecord).ReplaceLineEndings("\n").Count(character => character == '\n');
            _firstSpan = (Line, Line + ends);
        }

        return true;
    }

    // Only the first thing that is wrong with a record is told.
    private void Judge(CsvMalformedRecord record)
    {
        _hasStrayQuote = record.Reason == CsvMalformedReason.StrayQuote;
        if (!_hasStrayQuote) throw Malformed((int)record.LineNumber, record.Reason == CsvMalformedReason.UnterminatedQuote);
    }

    /// <summary>Whether each field that begins with a quote also ends with one, behind a stray quote in another.</summary>
    private void CheckQuotes()
    {
        for (var i = 0; i < _reader.FieldCount; i++)
        {
            var raw = _reader.GetRawSpan(i);
            if (!raw.StartsWith((byte)'"')) continue;
            var at = 1;
            while (at < raw.Length && (raw[at] != '"' || (at + 1 < raw.Length && raw[at + 1] == '"'))) at += raw[at] == '"' ? 2 : 1;
            if (at != raw.Length - 1) throw Malformed(Line, isOpen: at >= raw.Length);
        }
    }

    private string Field(int index)
    {
        var field = _reader.GetString(index);
        return field.Length <= FieldLimitCharacters ? field : throw Fault(
            Line, $"a field of more than {FieldLimitCharacters} characters", "shorter fields", "is a closing quote missing?");
    }

    private CheckpointException Malformed(int line, bool isOpen) => isOpen
        ? Fault(line, "a quote that is never closed", "a closing quote", WhereNotQuoted)
        : Fault(line, "text after a closing quote", "a delimiter or a doubled quote", WhereNotQuoted);

    private CheckpointException Fault(int line, string found, string expected, string? remedy = null) =>
        CheckpointException.At($"{Path}, line {line}", found, expected, remedy);
}
