using System.IO.Compression;
using System.Text;
using LlmStageAudit.Checkpoints.Comments;
using LlmStageAudit.Checkpoints.Tests.Safetensors;
using LlmStageAudit.Testing.Fuzzing;

namespace LlmStageAudit.Checkpoints.Tests.Comments;

/// <summary>What lies in a file is told by its bytes; gzip is unpacked on the way, within bounds.</summary>
public sealed class TableFileTests : IDisposable
{
    private readonly ScratchFolder _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData("rows.csv.gz", "text,label\na,1\n")]
    [InlineData("rows.csv", "text,label\na,1\n")]
    [InlineData("rows.tsv.gz", "text\tlabel\na\t1\n")]
    [InlineData("rows.jsonl.gz", "{\"text\":\"a\",\"label\":1}\n")]
    [InlineData("rows.ndjson.GZ", "\uFEFF{\"text\":\"a\",\"label\":1}\n")]
    public void Gzip_is_read_under_any_name(string name, string text)
    {
        var set = CommentSet.Read(_scratch.WriteBytes(name, Gzip(Encoding.UTF8.GetBytes(text))));
        Assert.Equal(["text", "label"], set.Columns);
        Assert.Equal("a", Assert.Single(set.Rows).Text("text"));
    }

    [Fact]
    public void A_name_in_gz_may_hold_plain_text() =>
        Assert.Single(CommentSet.Read(_scratch.WriteText("rows.csv.gz", "text\na\n")).Rows);

    /// <summary>Two files that were packed one behind the other are one, as gunzip has it.</summary>
    [Fact]
    public void Members_follow_each_other() =>
        Assert.Equal(2, CommentSet.Read(_scratch.WriteBytes("rows.csv", [.. Gzip("text\na\n"u8), .. Gzip("b\n"u8)])).Rows.Count);

    [Fact]
    public void Gzip_that_was_cut_off_anywhere_is_refused()
    {
        var text = string.Concat(Enumerable.Range(0, 4000).Select(i => $"row {i} of many, {i * 7919 % 1000}\n"));
        var whole = Gzip(Encoding.UTF8.GetBytes("text,n\n" + text));
        Assert.Equal(4000, CommentSet.Read(_scratch.WriteBytes("whole.csv", whole)).Rows.Count);
        foreach (var length in (int[])[3, 12, whole.Length / 2, whole.Length - 9, whole.Length - 8, whole.Length - 5, whole.Length - 1])
        {
            var path = _scratch.WriteBytes("cut.csv", whole[..length]);
            Assert.Contains("cut off", Assert.Throws<CheckpointException>(() => CommentSet.Read(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Gzip_with_a_flipped_byte_is_refused()
    {
        var whole = Gzip("text,n\nsome text,1\nother text,2\n"u8);
        whole[^6] ^= 1;
        Assert.Contains("damaged", Assert.Throws<CheckpointException>(() => CommentSet.Read(_scratch.WriteBytes("a.csv", whole))).Message);
    }

    [Fact]
    public void Gzip_that_grows_without_measure_is_refused_in_little_memory()
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.SmallestSize))
        {
            gzip.Write("text\n"u8);
            var block = new byte[1 << 20];
            Array.Fill(block, (byte)'\n');
            for (var i = 0; i < 200; i++) gzip.Write(block);
        }

        var path = _scratch.WriteBytes("bomb.csv.gz", bytes.ToArray());
        var fault = Bounded.Record(() => CommentSet.Read(path), 16 << 20);
        Assert.Contains("at most 200 times as many as packed", Assert.IsType<CheckpointException>(fault).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n", "a Git LFS pointer", "git lfs pull")]
    [InlineData("<!doctype html>\n<html></html>", "a web page", "download the file itself")]
    [InlineData("Entry not found", "'Entry not found'", "download the file itself")]
    [InlineData("PK\u0003\u0004 and so on", "a zip archive", "unzip it, or export the sheet")]
    [InlineData("SQLite format 3\0", "a SQLite database", "sqlite3 -header -csv")]
    [InlineData("ARROW1\0\0", "an Arrow file (Feather)", "to_parquet")]
    [InlineData("\u00FF\u00FEi\0d\0", "text in UTF-16", "iconv -f UTF-16 -t UTF-8")]
    [InlineData("\u0002\0\0\0\0\0\0\0{}", "a safetensors file", "give the file with the rows")]
    public void What_is_no_table_is_named_with_what_to_do(string latin, string found, string remedy)
    {
        foreach (var name in (string[])["rows.csv", "rows.jsonl", "rows.parquet", "rows.csv.gz"])
        {
            var path = _scratch.WriteBytes(name, Encoding.Latin1.GetBytes(latin));
            var message = Assert.Throws<CheckpointException>(() => CommentSet.Read(path)).Message;
            Assert.StartsWith($"{path}: it is ", message, StringComparison.Ordinal);
            Assert.Contains(found, message, StringComparison.Ordinal);
            Assert.Contains(remedy, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Lines_are_counted_as_they_end_wherever_blocks_end()
    {
        // Every line is 64 bytes but one in ten, so that line ends fall on every place of a block.
        var text = new StringBuilder("a\r\n");
        for (var i = 0; i < 20_000; i++) text.Append(new string('x', 61 - (i % 10 == 0 ? i % 7 : 0))).Append(i % 3 == 0 ? "\r" : i % 3 == 1 ? "\r\n" : "\n");
        byte[] bytes = [.. Encoding.UTF8.GetBytes(text.ToString()), 0xFF];
        var fault = Assert.Throws<CheckpointException>(() => CommentSet.Read(_scratch.WriteBytes("a.csv", bytes)));
        Assert.Contains($"line 20002: the byte 0xFF at offset {bytes.Length - 1} is not UTF-8", fault.Message, StringComparison.Ordinal);
    }

    private static byte[] Gzip(ReadOnlySpan<byte> content)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Optimal, leaveOpen: true)) gzip.Write(content);
        return bytes.ToArray();
    }
}
