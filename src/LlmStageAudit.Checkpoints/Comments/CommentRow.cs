using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>One comment with its columns.</summary>
public sealed class CommentRow
{
    private readonly CommentColumns _columns;
    private readonly object?[] _cells;

    /// <summary>Takes the cells of one row.</summary>
    /// <param name="columns">The set's columns; a row may hold fewer cells, the others are absent.</param>
    /// <param name="cells">A string, an int array, an <see cref="UnreadCell"/>, or null for an absent value, in the order of slots.</param>
    /// <param name="number">The row's number.</param>
    /// <param name="line">The line it begins on; 0 in a file without lines.</param>
    internal CommentRow(CommentColumns columns, object?[] cells, int number, int line) =>
        (_columns, _cells, Number, Line) = (columns, cells, number, line);

    /// <summary>1 for the first data row.</summary>
    public int Number { get; }

    /// <summary>The line of the file the row starts in, from 1; 0 in a file without lines.</summary>
    public int Line { get; }

    /// <summary>The file and the line, or the row of a file without lines, for messages.</summary>
    public string Where => Line > 0 ? $"{_columns.Path}:{Line}" : $"{_columns.Path}, row {Number}";

    /// <summary>Cells held, absent ones between present ones included.</summary>
    internal int CellCount => _cells.Length;

    /// <summary>The cell's text, an empty cell's being "". Null where there is no such value, or null or a number that is none.</summary>
    /// <exception cref="CheckpointException">No such column, or the value is a list or an object.</exception>
    public string? Text(string column) => Cell(column) switch
    {
        null => null,
        string text => text,
        int[] => throw Fault(column, "a list of integers", "text"),
        var other => throw Unread(column, (UnreadCell)other, "text"),
    };

    /// <summary>
    /// Whether the cell says nothing: absent, empty, blanks alone, or one of the words that pandas reads as a missing value, such as "nan".
    /// </summary>
    /// <exception cref="CheckpointException">As for <see cref="Text"/>.</exception>
    public bool IsMissing(string column) => MissingCell.Is(Text(column));

    /// <summary>The cell's text as a finite decimal number, or null where it is empty, absent or not a number.</summary>
    /// <exception cref="CheckpointException">As for <see cref="Text"/>.</exception>
    public double? Value(string column) => Text(column) is { } text && TryParse(text, out var value) ? value : null;

    /// <summary>The integers of a list, or null where the value is absent or null.</summary>
    /// <exception cref="CheckpointException">No such column, or the value is not a list of 32-bit integers.</exception>
    public int[]? Ids(string column) => Cell(column) switch
    {
        null => null,
        int[] ids => ids,
        string text => throw Fault(column, MessageText.Cell(text), "a list of integers"),
        var other => throw Unread(column, (UnreadCell)other, "a list of integers"),
    };

    /// <summary>
    /// The name of the class the cell stands for; null where the file names no classes of the column, or the cell is none of them.
    /// </summary>
    internal string? ClassName(string column) =>
        _columns.ClassNames(column) is { } names && Value(column) is { } value && value >= 0 && value < names.Count && value == (int)value
            ? names[(int)value]
            : null;

    internal static bool TryParse(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);

    /// <summary>What is wrong in this row, of a column where one is named.</summary>
    internal CheckpointException Fault(string? column, string found, string expected, string? remedy = null) => CheckpointException.At(
        $"{_columns.Path}, {(Line > 0 ? $"line {Line}" : $"row {Number}")}{(column is null ? "" : $", column '{column}'")}",
        found, expected, remedy);

    private CheckpointException Unread(string column, UnreadCell cell, string expected) => Fault(column, cell.Kind, expected, cell.Remedy);

    private object? Cell(string column)
    {
        var slot = _columns.SlotOf(column);
        return slot < _cells.Length ? _cells[slot] : null;
    }
}

/// <summary>A value that is neither a scalar nor a list of integers; an error only where it is used.</summary>
internal sealed record UnreadCell(string Kind, string? Remedy = null)
{
    public static UnreadCell Object { get; } = new("an object");

    public static UnreadCell MixedList { get; } = new("a list that is not all 32-bit integers");

    public static UnreadCell ListOfTexts { get; } = new("a list of texts");

    public static UnreadCell Messages { get; } = new(
        "a list of chat messages, which is not read",
        "give the prompt in one column and the answer in another, as data.text and data.completion");
}

/// <summary>Cells in which nothing is said.</summary>
internal static class MissingCell
{
    /// <summary>The texts that pandas.read_csv reads as missing values, beside the empty one.</summary>
    private static readonly HashSet<string> Words = new(StringComparer.Ordinal)
    {
        "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None",
        "n/a", "nan", "null",
    };

    public static bool Is(string? text) => string.IsNullOrWhiteSpace(text) || IsWord(text);

    public static bool IsWord(string text) => text.Length <= 16 && Words.Contains(text.Trim());
}

/// <summary>The columns all rows of a table share, which of them have a slot in a row, and where the table comes from.</summary>
internal sealed class CommentColumns(string path)
{
    /// <summary>More are refused.</summary>
    public const int Limit = 1 << 14;

    private const int NoSlot = -1;

    private readonly OrderedDictionary<string, int> _slots = new(StringComparer.Ordinal);
    private Dictionary<string, IReadOnlyList<string>> _classNames = new(StringComparer.Ordinal);

    public string Path => path;

    public IReadOnlyList<string> Names => _slots.Keys;

    /// <summary>Columns that have a slot.</summary>
    public int SlotCount { get; private set; }

    /// <summary>Appends a column with the next slot; false where there is one of that name.</summary>
    public bool TryAdd(string name)
    {
        if (!_slots.TryAdd(name, SlotCount)) return false;
        SlotCount++;
        return true;
    }

    /// <summary>The same columns, of which only some have slots, in the order given.</summary>
    /// <exception cref="CheckpointException">No such column.</exception>
    public CommentColumns Only(IEnumerable<string> names)
    {
        var only = new CommentColumns(path) { _classNames = _classNames };
        foreach (var name in _slots.Keys) only._slots.Add(name, NoSlot);
        foreach (var name in names.Distinct(StringComparer.Ordinal))
        {
            if (!_slots.ContainsKey(name)) throw NoColumn(name);
            only._slots[name] = only.SlotCount++;
        }

        return only;
    }

    /// <summary>Where a row has the column's cell, or null where this is no column whose cells are read.</summary>
    public int? SlotOrNone(string name) => _slots.TryGetValue(name, out var slot) && slot != NoSlot ? slot : null;

    /// <summary>As <see cref="SlotOrNone"/>, of a column that has one.</summary>
    public int SlotOf(string name) => _slots.TryGetValue(name, out var slot)
        ? slot != NoSlot ? slot : throw new InvalidOperationException($"The column '{name}' was not asked for.")
        : throw NoColumn(name);

    public IReadOnlyList<string>? ClassNames(string name) => _classNames.GetValueOrDefault(name);

    public void SetClassNames(string name, IReadOnlyList<string> names) => _classNames[name] = names;

    public CheckpointException Fault(int line, string found, string expected, string? remedy = null) =>
        CheckpointException.At($"{path}, line {line}", found, expected, remedy);

    private CheckpointException NoColumn(string name) =>
        CheckpointException.At(path, $"no column '{name}'", remedy: Suggestion.For(name, _slots.Keys));
}
