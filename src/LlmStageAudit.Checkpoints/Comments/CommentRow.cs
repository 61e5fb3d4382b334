using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>One comment with its columns.</summary>
public sealed class CommentRow
{
    private readonly CommentColumns _columns;
    private readonly object?[] _cells;

    /// <summary>Takes the cells of one row.</summary>
    /// <param name="columns">The set's columns; a row may hold fewer cells, the others are absent.</param>
    /// <param name="cells">A string, an int array, an <see cref="UnreadCell"/>, or null for an absent value.</param>
    /// <param name="number">The row's number.</param>
    /// <param name="line">The line it begins on.</param>
    internal CommentRow(CommentColumns columns, object?[] cells, int number, int line) =>
        (_columns, _cells, Number, Line) = (columns, cells, number, line);

    /// <summary>1 for the first data row.</summary>
    public int Number { get; }

    /// <summary>The line of the file the row starts in, from 1.</summary>
    public int Line { get; }

    /// <summary>Cells held, absent ones between present ones included.</summary>
    internal int CellCount => _cells.Length;

    /// <summary>The cell's text, an empty cell's being "". Null where a JSON line has no such value, or null.</summary>
    /// <exception cref="CheckpointException">No such column, or the value is a list or an object.</exception>
    public string? Text(string column) => Cell(column) switch
    {
        null => null,
        string text => text,
        int[] => throw Fault(column, "a list of integers", "text"),
        var other => throw Fault(column, ((UnreadCell)other).Kind, "text"),
    };

    /// <summary>The cell's text as a finite decimal number, or null where it is empty, absent or not a number.</summary>
    /// <exception cref="CheckpointException">As for <see cref="Text"/>.</exception>
    public double? Value(string column) => Text(column) is { } text && TryParse(text, out var value) ? value : null;

    /// <summary>The integers of a JSON line's list, or null where the value is absent or null.</summary>
    /// <exception cref="CheckpointException">No such column, or the value is not a list of 32-bit integers.</exception>
    public int[]? Ids(string column) => Cell(column) switch
    {
        null => null,
        int[] ids => ids,
        string text => throw Fault(column, MessageText.Cell(text), "a list of integers"),
        var other => throw Fault(column, ((UnreadCell)other).Kind, "a list of integers"),
    };

    internal static bool TryParse(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);

    /// <summary>What is wrong in this row, of a column where one is named.</summary>
    internal CheckpointException Fault(string? column, string found, string expected, string? remedy = null) =>
        _columns.Fault(Line, found, expected, remedy, column);

    private object? Cell(string column)
    {
        var index = _columns.IndexOf(column);
        return index < _cells.Length ? _cells[index] : null;
    }
}

/// <summary>A value of a JSON line that is neither a scalar nor a list of integers; an error only where it is used.</summary>
internal sealed record UnreadCell(string Kind);

/// <summary>The columns all rows of a set share, and where the set comes from.</summary>
internal sealed class CommentColumns(string path)
{
    /// <summary>More are refused.</summary>
    public const int Limit = 1 << 14;

    private readonly OrderedDictionary<string, int> _indices = new(StringComparer.Ordinal);

    public string Path => path;

    public IReadOnlyList<string> Names => _indices.Keys;

    /// <summary>Appends a column; false where there is one of that name.</summary>
    public bool TryAdd(string name) => _indices.TryAdd(name, _indices.Count);

    public int IndexOf(string name) => _indices.TryGetValue(name, out var index)
        ? index
        : throw CheckpointException.At(path, $"no column '{name}'", remedy: Suggestion.For(name, _indices.Keys));

    public CheckpointException Fault(int line, string found, string expected, string? remedy = null, string? column = null) =>
        CheckpointException.At($"{path}, line {line}{(column is null ? "" : $", column '{column}'")}", found, expected, remedy);
}
