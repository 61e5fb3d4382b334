namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// JSON lines: one object on each line. Strings are kept as text, numbers and booleans as they are written, lists of
/// 32-bit integers as ids; other values are kept unread. A lone surrogate escape counts as U+FFFD.
/// </summary>
internal static class JsonLinesReader
{
    private const int LineLimitCharacters = 64 << 20;

    /// <summary>Cells beyond one for each character: rows that name one of thousands of columns each would fill the memory.</summary>
    private const long FreeCells = 1 << 24;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 32 };

    public static CommentSet Read(string path)
    {
        using var source = new Utf8Source(path);
        var columns = new CommentColumns(path);
        var rows = new List<CommentRow>();
        var line = new StringBuilder();
        var (characters, cells) = (0L, 0L);
        while (source.Peek() != Utf8Source.End)
        {
            var number = source.Line;
            var text = NextLine(source, line.Clear());
            if (string.IsNullOrWhiteSpace(text)) continue;
            var row = Parse(text, number, rows.Count + 1, columns);
            characters += text.Length;
            cells += row.CellCount;
            if (cells > FreeCells + characters)
                throw columns.Fault(number, $"{columns.Names.Count} columns, of which most rows have few", "rows that share their keys");
            rows.Add(row);
        }

        return new CommentSet(columns, rows);
    }

    private static string NextLine(Utf8Source source, StringBuilder line)
    {
        while (!source.TakeLineEnd() && source.Peek() != Utf8Source.End)
        {
            if (line.Length == LineLimitCharacters)
                throw source.Fault(source.Line, $"more than {LineLimitCharacters} characters", "shorter lines");
            line.Append((char)source.Take());
        }

        return line.ToString();
    }

    private static CommentRow Parse(string text, int line, int number, CommentColumns columns)
    {
        try
        {
            using var document = JsonDocument.Parse(JsonSurrogates.Repair(text), Options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw columns.Fault(line, KindOf(document.RootElement), "one object on each line");
            return new CommentRow(columns, Cells(document.RootElement, line, columns), number, line);
        }
        catch (JsonException exception)
        {
            throw columns.Fault(line, $"not JSON ({exception.Message})", "one object on each line");
        }
    }

    private static object?[] Cells(JsonElement root, int line, CommentColumns columns)
    {
        // As long as this row needs, not as the longest row so far: a row may be three bytes long where another has all the columns.
        var cells = new object?[Math.Min(columns.Names.Count, 16)];
        var used = 0;
        var given = new HashSet<int>();
        foreach (var property in root.EnumerateObject())
        {
            var name = property.Name;
            columns.TryAdd(name);
            if (columns.Names.Count > CommentColumns.Limit) throw columns.Fault(line, "too many keys", $"at most {CommentColumns.Limit}");
            var index = columns.IndexOf(name);
            if (!given.Add(index)) throw columns.Fault(line, $"the key '{name}' stands there twice", "each once");
            if (index >= cells.Length) Array.Resize(ref cells, Math.Max(index + 1, 2 * cells.Length));
            cells[index] = Cell(property.Value, name, line, columns);
            used = Math.Max(used, index + 1);
        }

        Array.Resize(ref cells, used);
        return cells;
    }

    private static object? Cell(JsonElement value, string name, int line, CommentColumns columns) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String when value.GetString()! is var text => text.Length <= DelimitedReader.FieldLimitCharacters
            ? text
            : throw columns.Fault(line, $"'{name}' has {text.Length} characters", $"at most {DelimitedReader.FieldLimitCharacters}"),
        JsonValueKind.Array => Integers(value) ?? (object)new UnreadCell("a list that is not all 32-bit integers"),
        JsonValueKind.Object => new UnreadCell("an object"),
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

    private static string KindOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "a boolean",
    };
}
