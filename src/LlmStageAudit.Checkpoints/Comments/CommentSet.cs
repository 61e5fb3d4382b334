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
    /// <exception cref="CheckpointException">The first fault, with its line.</exception>
    public static CommentSet Read(string path)
    {
        const string expected = ".csv, .tsv, .jsonl or .ndjson";
        switch (System.IO.Path.GetExtension(path).ToLowerInvariant())
        {
            case ".csv": return DelimitedReader.Read(path, ',');
            case ".tsv": return DelimitedReader.Read(path, '\t');
            case ".jsonl" or ".ndjson": return JsonLinesReader.Read(path);
            case var pickled when PickleSignature.IsName(path):
                // A pickle or an archive that may hold one, which is never opened because loading one can run code.
                throw CheckpointException.At(path, $"a {pickled} file is not opened because loading one can run code", expected,
                    "write the rows as CSV or JSON lines where they were made");
            case var other:
                throw CheckpointException.At(path, $"the extension '{other}'", expected);
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
}
