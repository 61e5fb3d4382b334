using System.Text;

namespace LlmStageAudit.Foundation.Boundaries;

/// <summary>What a file can be told to be by its first bytes.</summary>
public enum FileFormat
{
    /// <summary>Python's pickle: loading it can run code.</summary>
    Pickle,

    /// <summary>An array of NumPy, which may hold a pickle.</summary>
    NumPy,

    /// <summary>A zip archive: also a spreadsheet, and what torch.save writes.</summary>
    Zip,

    /// <summary>One stream of gzip.</summary>
    Gzip,

    /// <summary>Another way to pack: tar, zstd, bzip2, xz, 7z.</summary>
    OtherArchive,

    /// <summary>A table in columns.</summary>
    Parquet,

    /// <summary>Parquet with an encrypted footer.</summary>
    EncryptedParquet,

    /// <summary>Arrow's file or stream, Feather of both versions.</summary>
    Arrow,

    /// <summary>ORC, Avro, SQLite, HDF5: tables and arrays that are not read here.</summary>
    OtherTable,

    /// <summary>Tensors as safetensors.</summary>
    Safetensors,

    /// <summary>Tensors as llama.cpp has them.</summary>
    Gguf,

    /// <summary>The text that stands for a file which Git LFS did not fetch.</summary>
    GitLfsPointer,

    /// <summary>HTML or XML: what a server shows to people in place of the file.</summary>
    WebPage,

    /// <summary>The one line with which a server refuses a download.</summary>
    Refusal,

    /// <summary>Text in units of two or four bytes.</summary>
    WideText,

    /// <summary>A document or an image.</summary>
    Document,
}

/// <summary>
/// What a file is, whatever its name says, where its first bytes tell; made for messages such as "PATH: it is FOUND; REMEDY". Plain text in
/// UTF-8 has no signature.
/// </summary>
/// <param name="Format">What it is.</param>
/// <param name="Found">The same in words, with an article.</param>
/// <param name="Remedy">What usually helps; a reader that knows better says so itself.</param>
public sealed record FileSignature(FileFormat Format, string Found, string Remedy)
{
    /// <summary>First bytes that are enough to tell; fewer tell less.</summary>
    public const int LengthBytes = 512;

    private const string DownloadAgain = "download the file itself: check its address, and the token if access to it is restricted";

    /// <summary>
    /// By their first characters in Latin-1; a file is taken for one that begins with letters only where other bytes follow.
    /// </summary>
    private static readonly (FileSignature Signature, string[] Starts)[] Known =
    [
        (new(FileFormat.Zip, "a zip archive", "unzip it"), ["PK\u0003\u0004", "PK\u0005\u0006", "PK\u0007\u0008"]),
        (new(FileFormat.Gzip, "compressed with gzip", "gunzip it"), ["\u001F\u008B"]),
        (new(FileFormat.OtherArchive, "compressed with zstd", "unpack it: zstd -d FILE"), ["(\u00B5/\u00FD"]),
        (new(FileFormat.OtherArchive, "compressed with bzip2", "unpack it: bunzip2 FILE"), ["BZh"]),
        (new(FileFormat.OtherArchive, "compressed with xz", "unpack it: unxz FILE"), ["\u00FD7zXZ\0"]),
        (new(FileFormat.OtherArchive, "a 7z archive", "unpack it: 7z x FILE"), ["7z\u00BC\u00AF'\u001C"]),
        (new(FileFormat.Parquet, "a Parquet file", "give it where a table is read"), ["PAR1"]),
        (new(FileFormat.EncryptedParquet, "an encrypted Parquet file", "decrypt it where it was made"), ["PARE"]),
        (new(FileFormat.Arrow, "an Arrow file (Feather)", ToParquet("read_feather")), ["ARROW1", "FEA1"]),
        (new(FileFormat.Arrow, "an Arrow stream, as save_to_disk of datasets writes it",
            "write it as Parquet: python -c \"import datasets; datasets.Dataset.from_file('FILE').to_parquet('NEW')\""),
            ["\u00FF\u00FF\u00FF\u00FF"]),
        (new(FileFormat.OtherTable, "an ORC file", ToParquet("read_orc")), ["ORC"]),
        (new(FileFormat.OtherTable, "an Avro file", "write its rows as Parquet, CSV or JSON lines"), ["Obj\u0001"]),
        (new(FileFormat.OtherTable, "a SQLite database", "write the table as CSV: sqlite3 -header -csv FILE 'select * from TABLE' > NEW"),
            ["SQLite format 3\0"]),
        (new(FileFormat.OtherTable, "an HDF5 file", ToParquet("read_hdf")), ["\u0089HDF\r\n\u001A\n"]),
        (new(FileFormat.Gguf, "a GGUF file", "give the weights as safetensors, as they were before they were converted"), ["GGUF"]),
        (new(FileFormat.GitLfsPointer, "a Git LFS pointer, not the file it stands for", "fetch the file: git lfs pull"),
            ["version https://git-lfs.github.com/spec/"]),
        (new(FileFormat.Document, "a PDF document", "give the file that was meant"), ["%PDF-"]),
        (new(FileFormat.Document, "an image", "give the file that was meant"), ["\u0089PNG", "\u00FF\u00D8\u00FF", "GIF8"]),
        (new(FileFormat.Document, "a file of an office program", "export it as CSV"), ["\u00D0\u00CF\u0011\u00E0\u00A1\u00B1"]),
        (new(FileFormat.NumPy, "a NumPy file, which may hold a pickle", PickleSignature.Remedy), ["\u0093NUMPY"]),
    ];

    /// <summary>Words that a table's header may begin with too.</summary>
    private static readonly string[] PlainStarts = ["BZh", "ORC", "GGUF", "GIF8"];

    private static readonly string[] Pages = ["<!doctype html", "<html", "<head", "<?xml"];

    /// <summary>What hubs and servers answer with, as the whole of a file.</summary>
    private static readonly string[] Refusals =
    [
        "Entry not found", "Repository not found", "Revision not found", "File not found", "Not Found", "404", "403", "401", "Forbidden",
        "Unauthorized", "Access denied", "Access to ", "Invalid username or password", "Bad credentials", "Internal Server Error",
        "Service Unavailable", "Too Many Requests", "Rate limit",
    ];

    /// <summary>Whether a program that loads such a file may run what stands in it.</summary>
    public bool CanRunCode => Format is FileFormat.Pickle or FileFormat.NumPy;

    /// <summary>The signature in a file's first bytes, or null where they tell nothing, as those of UTF-8 text.</summary>
    /// <param name="start">The first <see cref="LengthBytes"/>, or the whole of a shorter file.</param>
    public static FileSignature? Of(ReadOnlySpan<byte> start)
    {
        // The length of a header, whose bytes may be anything, and the header's JSON.
        if (start.Length >= 9 && start[8] == '{' && start[4..8].IndexOfAnyExcept((byte)0) < 0)
            return new FileSignature(FileFormat.Safetensors, "a safetensors file", "give it where weights are expected");
        var letters = Encoding.Latin1.GetString(start);
        foreach (var (signature, starts) in Known)
        {
            var known = Array.Find(starts, known => letters.StartsWith(known, StringComparison.Ordinal));
            if (known is not null && (!PlainStarts.Contains(known) || letters.Any(IsBinary))) return signature;
        }

        if (letters.Length > 262 && letters[257..262] == "ustar")
            return new FileSignature(FileFormat.OtherArchive, "a tar archive", "unpack it: tar -xf FILE");
        if (start.Length >= 2 && start[0] == 0x80 && start[1] is >= 2 and <= 5)
            return new FileSignature(FileFormat.Pickle, "a pickle", PickleSignature.Remedy);
        if (WideText(letters) is { } encoding)
        {
            return new FileSignature(
                FileFormat.WideText, $"text in {encoding}", $"convert it: iconv -f {encoding} -t UTF-8 FILE > NEW");
        }

        return OfText(start);
    }

    private static FileSignature? OfText(ReadOnlySpan<byte> start)
    {
        var text = Encoding.UTF8.GetString(start).TrimStart('\uFEFF').TrimStart();
        if (Pages.Any(page => text.StartsWith(page, StringComparison.OrdinalIgnoreCase)))
            return new FileSignature(FileFormat.WebPage, "a web page, which a server sent in place of the file", DownloadAgain);
        text = text.TrimEnd();
        var isRefusal = text.Length <= 200 && !text.Contains('\n')
            && Refusals.Any(line => text.StartsWith(line, StringComparison.OrdinalIgnoreCase));
        return isRefusal
            ? new FileSignature(FileFormat.Refusal, $"the answer of a server in place of the file ('{text}')", DownloadAgain)
            : null;
    }

    /// <summary>The encoding as iconv names it, by its mark or by the zeros between Latin letters; null for any other.</summary>
    private static string? WideText(string letters)
    {
        if (Begins("\u00FF\u00FE\0\0") || Begins("\0\0\u00FE\u00FF")) return "UTF-32";
        if (Begins("\u00FF\u00FE") || Begins("\u00FE\u00FF")) return "UTF-16";
        if (letters.Length < 8) return null;
        var pairs = Enumerable.Range(0, 4).Select(i => (First: letters[2 * i], Second: letters[(2 * i) + 1])).ToArray();
        return pairs.All(pair => IsLatin(pair.First) && pair.Second == 0) ? "UTF-16LE"
            : pairs.All(pair => IsLatin(pair.Second) && pair.First == 0) ? "UTF-16BE"
            : null;

        bool Begins(string mark) => letters.StartsWith(mark, StringComparison.Ordinal);
        static bool IsLatin(char letter) => letter is >= ' ' and <= '~' or '\t' or '\n' or '\r';
    }

    private static bool IsBinary(char letter) => letter < ' ' && letter is not ('\t' or '\n' or '\r' or '\f');

    private static string ToParquet(string read) =>
        $"write it as Parquet: python -c \"import pandas; pandas.{read}('FILE').to_parquet('NEW')\"";
}
