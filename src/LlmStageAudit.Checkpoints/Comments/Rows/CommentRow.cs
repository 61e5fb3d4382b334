using System.Globalization;

namespace LlmStageAudit.Checkpoints.Comments.Rows;

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

    internal string Path => _columns.Path;

    /// <summary>The cell's text, an empty cell's being "". Null where a JSON line has no such value, or null.</summary>
    /// <exception cref="CommentSetException">No such column, or the value is a list or an object.</exception>
    public string? Text(string column) => Cell(column) switch
    {
        null => null,
        string text => text,
        int[] => throw CommentSetException.AtCell(this, column, "a list of integers", "text"),
        UnreadCell unread => throw CommentSetException.AtCell(this, column, unread.Kind, "text"),
        var other => throw new InvalidOperationException($"A cell cannot hold {other.GetType()}."),
    };

    /// <summary>The cell's text as a finite decimal number, or null where it is empty, absent or not a number.</summary>
    /// <exception cref="CommentSetException">As for <see cref="Text"/>.</exception>
    public double? Value(string column) => Text(column) is { } text && TryParse(text, out var value) ? value : null;

    /// <summary>The integers of a JSON line's list, or null where the value is absent or null.</summary>
    /// <exception cref="CommentSetException">No such column, or the value is not a list of 32-bit integers.</exception>
    public int[]? Ids(string column) => Cell(column) switch
    {
        null => null,
        int[] ids => ids,
        string text => throw CommentSetException.AtCell(this, column, CommentSetException.Shown(text), "a list of integers"),
        UnreadCell unread => throw CommentSetException.AtCell(this, column, unread.Kind, "a list of integers"),
        var other => throw new InvalidOperationException($"A cell cannot hold {other.GetType()}."),
    };

    internal static bool TryParse(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);

    private object? Cell(string column)
    {
        var index = _columns.IndexOf(column);
        return index < _cells.Length ? _cells[index] : null;
    }
}

/// <summary>A value of a JSON line that is neither a scalar nor a list of integers; an error only where it is used.</summary>
internal sealed record UnreadCell(string Kind);
