using System.Globalization;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Comments.Rows;

/// <summary>A comment set that cannot be read, or a row that has no answer to what is asked of it.</summary>
public sealed class CommentSetException : InvalidInputException
{
    private const int ShownLength = 60;

    private CommentSetException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    internal static CommentSetException Unreadable(string path, string found, string expected, Exception? inner = null) =>
        new(Sentence(path, found, expected), inner);

    /// <summary>
    /// Rows lie there as a pickle or an archive that may hold one, which is never opened because loading one can run code.
    /// </summary>
    internal static CommentSetException Pickled(string path, string extension) =>
        new(Sentence(path, $"a {extension} file is not opened because loading one can run code", ".csv, .tsv, .jsonl or .ndjson",
            "write the rows as CSV or JSON lines where they were made"));

    internal static CommentSetException AtLine(string path, long line, string found, string expected, string? remedy = null) =>
        new(Sentence($"{path}, line {line.ToString(CultureInfo.InvariantCulture)}", found, expected, remedy));

    internal static CommentSetException AtCell(CommentRow row, string column, string found, string expected, string? remedy = null) =>
        new(Sentence($"{row.Path}, line {row.Line}, column '{column}'", found, expected, remedy));

    internal static CommentSetException NoColumn(string path, string column, IReadOnlyCollection<string> columns) =>
        new(Sentence(path, $"no column '{column}'", remedy: Suggestion.For(column, columns)));

    /// <summary>Cell text as a message shows it: quoted, cut where it is long.</summary>
    internal static string Shown(string text) => text.Length <= ShownLength ? $"'{text}'" : $"'{text[..ShownLength]}...'";
}
