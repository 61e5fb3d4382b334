using System.Text.RegularExpressions;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// JSON lines: one object on each line. Strings are kept as text, numbers and booleans as they are written, lists of 32-bit integers as
/// ids; other values are kept unread. A lone surrogate escape counts as U+FFFD; NaN and Infinity, which Python writes, as null.
/// </summary>
internal sealed partial class JsonLinesTable : CommentTable
{
    private const int LineLimitBytes = 64 << 20;

    /// <summary>Cells beyond one for each character: rows that name one of thousands of columns each would fill the memory.</summary>
    private const long FreeCells = 1 << 24;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32 };

    private readonly string _path;

    public JsonLinesTable(TableFile file)
        : this(file, new CommentColumns(file.Path))
    {
    }

    // The columns are those of all rows, so the file is gone through once for them and, when they are asked for, once more for the rows.
    private JsonLinesTable(TableFile file, CommentColumns columns)
        : base(columns)
    {
        _path = file.Path;
        using var lines = new LineReader(new Utf8Stream(file), _path, LineLimitBytes);
        while (lines.Next())
        {
            using var document = Parse(lines);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (columns.TryAdd(property.Name) && columns.Names.Count > CommentColumns.Limit)
                    throw columns.Fault(lines.Number, "too many keys", $"at most {CommentColumns.Limit}");
            }
        }
    }

    private protected override IEnumerable<CommentRow> Read(CommentColumns columns)
    {
        using var lines = new LineReader(new Utf8Stream(TableFile.Open(_path)), _path, LineLimitBytes);
        var (bytes, cells) = (0L, 0L);
        for (var number = 1; lines.Next(); number++)
        {
            using var document = Parse(lines);
            var row = new CommentRow(columns, Cells(document.RootElement, lines.Number, columns), number, lines.Number);
            bytes += lines.Line.Length;
            cells += row.CellCount;
            if (cells > FreeCells + bytes)
                throw lines.Fault($"{columns.Names.Count} columns, of which most rows have few", "rows that share their keys");
            yield return row;
        }
    }

    protected override void Dispose(bool disposing)
    {
    }

    private static JsonDocument Parse(LineReader lines)
    {
        try
        {
            var document = JsonDocument.Parse(Standard(lines.Line), Options);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            var kind = KindOf(document.RootElement);
            document.Dispose();
            throw lines.Fault(kind, "one object on each line",
                kind == "a list" && lines.Number == 1 ? "write the items of a JSON list as lines: jq -c '.[]' FILE > NEW.jsonl" : null);
        }
        catch (JsonException exception)
        {
            throw lines.Fault($"not JSON ({exception.Message})", "one object on each line");
        }
    }

    // What Python writes beyond the standard is rare, and looked for in the bytes.
    private static ReadOnlyMemory<byte> Standard(ReadOnlyMemory<byte> line)
    {
        var bytes = line.Span;
        if (bytes.IndexOf("NaN"u8) < 0 && bytes.IndexOf("Infinity"u8) < 0 && bytes.IndexOf("\\ud"u8) < 0 && bytes.IndexOf("\\uD"u8) < 0)
            return line;
        var text = TextOrNaN().Replace(Encoding.UTF8.GetString(bytes), static found => found.Value[0] == '"' ? found.Value : "null");
        return Encoding.UTF8.GetBytes(JsonSurrogates.Repair(text));
    }

    private static object?[] Cells(JsonElement root, int line, CommentColumns columns)
    {
        // As long as this row needs, not as the longest row so far: a row may be three bytes long where another has all the columns.
        var cells = new object?[Math.Min(columns.SlotCount, 16)];
        var used = 0;
        var given = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in root.EnumerateObject())
        {
            var name = property.Name;
            if (!given.Add(name)) throw columns.Fault(line, $"the key '{name}' stands there twice", "each once");
            if (columns.SlotOrNone(name) is not { } slot) continue;
            if (slot >= cells.Length) Array.Resize(ref cells, Math.Max(slot + 1, 2 * cells.Length));
            cells[slot] = Cell(property.Value, name, line, columns);
            used = Math.Max(used, slot + 1);
        }

        Array.Resize(ref cells, used);
        return cells;
    }

    private static object? Cell(JsonElement value, string name, int line, CommentColumns columns) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String when value.GetString()! is var text => text.Length <= DelimitedTable.FieldLimitCharacters
            ? text
            : throw columns.Fault(line, $"'{name}' has {text.Length} characters", $"at most {DelimitedTable.FieldLimitCharacters}"),
        JsonValueKind.Array => Integers(value) ?? (object)Unread(value),
        JsonValueKind.Object => UnreadCell.Object,
        _ => value.GetRawText(),
    };

    private static int[]? Integers(JsonElement list)
    {
        var integers = new int[list.GetArrayLength()];
        foreach (var (index, item) in list.EnumerateArray().Index())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out integers[index])) return null;
        }

        return integers;
    }

    // As OpenAI and Hugging Face name the keys of a message, or ShareGPT.
    private static UnreadCell Unread(JsonElement list) =>
        list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) ? UnreadCell.ListOfTexts
        : list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object
            && (item.TryGetProperty("role", out _) || item.TryGetProperty("from", out _))) ? UnreadCell.Messages
        : UnreadCell.MixedList;

    private static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    };

    // A string, in which the words mean nothing, or a word: outside of strings JSON has none of them, so that only a value can become one.
    [GeneratedRegex(@"""(?>[^""\\]+|\\.)*""?|-?Infinity|NaN",
        RegexOptions.CultureInvariant | RegexOptions.Singleline, matchTimeoutMilliseconds: -1)]
    private static partial Regex TextOrNaN();
}
