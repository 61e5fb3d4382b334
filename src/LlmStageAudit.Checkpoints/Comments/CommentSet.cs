using LlmStageAudit.Checkpoints.Comments.Reading;
using LlmStageAudit.Checkpoints.Comments.Rows;
using LlmStageAudit.Foundation.Boundaries;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>The rows of a CSV, TSV or JSON-lines file, in file order and in memory.</summary>
public sealed class CommentSet
{
    private readonly CommentColumns _columns;

    internal CommentSet(CommentColumns columns, IReadOnlyList<CommentRow> rows) => (_columns, Rows) = (columns, rows);

    /// <summary>Names in file order; of JSON lines, in the order of first appearance.</summary>
    public IReadOnlyList<string> Columns => _columns.Names;

    /// <summary>In file order.</summary>
    public IReadOnlyList<CommentRow> Rows { get; }

    /// <summary>Where the rows come from.</summary>
    public string Path => _columns.Path;

    /// <summary>
    /// Reads a file by its extension: .csv, .tsv, .jsonl or .ndjson; UTF-8, at most 4 GiB, fields of at most 16 Mi characters.
    /// </summary>
    /// <exception cref="CommentSetException">The first fault, with its line.</exception>
    public static CommentSet Read(string path)
    {
        switch (System.IO.Path.GetExtension(path).ToLowerInvariant())
        {
            case ".csv": return Of(DelimitedReader.Read(path, ','));
            case ".tsv": return Of(DelimitedReader.Read(path, '\t'));
            case ".jsonl" or ".ndjson": return Of(JsonLinesReader.Read(path));
            case var pickled when PickleSignature.IsName(path):
                throw CommentSetException.Pickled(path, pickled);
            case var other:
                throw CommentSetException.Unreadable(path, $"the extension '{other}'", ".csv, .tsv, .jsonl or .ndjson");
        }
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

    private static CommentSet Of((CommentColumns Columns, IReadOnlyList<CommentRow> Rows) read) => new(read.Columns, read.Rows);
}
