using LlmStageAudit.Foundation.Boundaries;
using LlmStageAudit.Foundation.Errors;

namespace LlmStageAudit.Checkpoints.Comments;

/// <summary>
/// An open table of comments: its columns, then its rows once, in file order, each with the cells that are asked for. Only these are kept,
/// so that a large file costs what is taken from it. CSV, TSV, JSON lines, each also in gzip, and Parquet.
/// </summary>
public abstract class CommentTable : IDisposable
{
    private const string Formats = ".csv, .tsv, .jsonl or .ndjson, each also as .gz, or .parquet";

    private readonly CommentColumns _columns;

    private protected CommentTable(CommentColumns columns) => _columns = columns;

    /// <summary>Names in file order; of JSON lines, in the order of first appearance.</summary>
    public IReadOnlyList<string> Columns => _columns.Names;

    /// <summary>The file.</summary>
    public string Path => _columns.Path;

    /// <summary>What to know of the rows; complete once they are read.</summary>
    public virtual IReadOnlyList<Warning> Warnings => [];

    /// <summary>
    /// Opens a file by what its first bytes say and, of text, by its extension; UTF-8, at most 4 GiB, fields of at most 16 Mi characters.
    /// </summary>
    /// <param name="path">Absolute, or relative to the working folder.</param>
    /// <param name="quoted">Whether quotes in CSV and TSV hold fields together; else they are ordinary characters, and every line is a
    /// row.</param>
    /// <exception cref="CheckpointException">What lies there is no table that can be read, or a fault before the first row.</exception>
    public static CommentTable Open(string path, bool quoted = true)
    {
        // A pickle or an archive that may hold one, which is never opened because loading one can run code.
        if (PickleSignature.IsName(path))
        {
            throw CheckpointException.At(
                path, $"a {System.IO.Path.GetExtension(path)} file is not opened because loading one can run code", Formats,
                "write the rows as CSV or JSON lines where they were made");
        }

        var file = TableFile.Open(path);
        try
        {
            return Open(file, quoted);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The rows, once.</summary>
    /// <param name="columns">The columns whose cells are read; asking a row for another is an error of the program.</param>
    /// <exception cref="CheckpointException">The first fault, with its line, when it is reached; or no such column.</exception>
    public IEnumerable<CommentRow> Rows(IEnumerable<string> columns) => Read(_columns.Only(columns));

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The rows with the cells that have a slot.</summary>
    private protected abstract IEnumerable<CommentRow> Read(CommentColumns columns);

    /// <summary>Closes the file.</summary>
    protected abstract void Dispose(bool disposing);

    private static CommentTable Open(TableFile file, bool quoted)
    {
        if (file.Signature is { } signature)
        {
            return signature.Format == FileFormat.Parquet && !file.IsGzip ? new ParquetTable(file) : throw CheckpointException.At(
                file.Path, $"it is {signature.Found}{(file.IsGzip ? ", in gzip" : "")}", Formats, Remedy(file, signature));
        }

        var name = file.Path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? file.Path[..^3] : file.Path;
        return System.IO.Path.GetExtension(name).ToLowerInvariant() switch
        {
            ".csv" => new DelimitedTable(file, ',', quoted),
            ".tsv" => new DelimitedTable(file, '\t', quoted),
            ".jsonl" or ".ndjson" => new JsonLinesTable(file),
            ".parquet" => throw NoParquet(file),
            var other => throw CheckpointException.At(file.Path, $"the extension '{other}'", Formats, LooksLike(file) is { } text
                ? $"it looks like {text.Words}: name it {text.Extension}" : null),
        };
    }

    private static string Remedy(TableFile file, FileSignature signature) => signature.Format switch
    {
        FileFormat.Zip => "unzip it, or export the sheet of a spreadsheet as CSV",
        FileFormat.Parquet when file.IsGzip => "unpack it: gunzip FILE",
        FileFormat.Pickle or FileFormat.NumPy =>
            "loading one can run code, so write the rows as CSV or JSON lines where they were made",
        FileFormat.Safetensors or FileFormat.Gguf => "give the file with the rows",
        _ => signature.Remedy,
    };

    private static CheckpointException NoParquet(TableFile file) => file.IsEmpty
        ? CheckpointException.At(file.Path, "the file is empty", "a Parquet file")
        : LooksLike(file) is { } text
            ? CheckpointException.At(file.Path, $"no Parquet file: it looks like {text.Words}", null, $"name it {text.Extension}")
            : CheckpointException.At(file.Path, "no Parquet file, which begins with PAR1; damaged, or something else", "a Parquet file",
                "download or copy it again");

    /// <summary>A guess at a text, for advice alone.</summary>
    private static (string Words, string Extension)? LooksLike(TableFile file)
    {
        var text = Encoding.UTF8.GetString(file.Start).TrimStart('\uFEFF');
        var line = text.Split('\n')[0];
        if (text.Any(character => character < ' ' && character is not ('\t' or '\n' or '\r'))) return null;
        return text.TrimStart().StartsWith('{') ? ("JSON lines", ".jsonl")
            : line.Contains('\t') ? ("text in columns (TSV)", ".tsv")
            : line.Contains(',') ? ("text in columns (CSV)", ".csv")
            : null;
    }
}
