namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>Rows of a table in memory, in file order.</summary>
public sealed class CommentSet
{
    private readonly CommentColumns _columns;

    private CommentSet(CommentColumns columns, IReadOnlyList<CommentRow> rows) => (_columns, Rows) = (columns, rows);

    /// <summary>As <see cref="CommentTable.Columns"/>.</summary>
    public IReadOnlyList<string> Columns => _columns.Names;

    /// <summary>In file order.</summary>
    public IReadOnlyList<CommentRow> Rows { get; }

    /// <summary>Where the rows come from.</summary>
    public string Path => _columns.Path;

    /// <summary>All rows with all cells, as <see cref="CommentTable"/> reads them.</summary>
    /// <exception cref="CheckpointException">The first fault, with its line.</exception>
    public static CommentSet Read(string path, bool quoted = true)
    {
        using var table = CommentTable.Open(path, quoted);
        var columns = new CommentColumns(path);
        foreach (var column in table.Columns) columns.TryAdd(column);
        return new CommentSet(columns, [.. table.Rows(table.Columns)]);
    }

    /// <summary>Rows made in memory; their lines are counted as if a header were line 1.</summary>
    /// <exception cref="ArgumentException">Duplicate columns, or a row with another number of cells.</exception>
    public static CommentSet Of(string name, IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var shared = new CommentColumns(name);
        foreach (var column in columns)
        {
            if (!shared.TryAdd(column)) throw new ArgumentException($"The column '{column}' stands there twice.", nameof(columns));
        }

        var made = new List<CommentRow>();
        foreach (var cells in rows)
        {
            if (cells.Count != columns.Count)
            {
                throw new ArgumentException($"{cells.Count} cells for {columns.Count} columns.", nameof(rows));
            }
            made.Add(new CommentRow(shared, cells.ToArray<object?>(), made.Count + 1, made.Count + 2));
        }

        return new CommentSet(shared, made);
    }
}
